"""Reads slices of Shui pages: centred on a blank square 52 pixels wide, black and white; picks the test quarter."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
from numpy.typing import NDArray

from datamodules._errors import DataError
from datamodules._image import PAPER, fit_matrix, resample, with_channels
from datamodules.readers.image_tree import SUFFIXES, entries, read_images

SIZE = 52  # pixels a side; shui-ocr, section 3.2
MARGIN = 4  # blank pixels on each side; not in the paper, whose first two kernels reach two pixels beyond a point each
TEST_QUARTER = 4  # one slice in four is a test slice; shui-ocr, section 4.2
LAYOUT_ADVICE = "Expected layout: CLASS/*.png, in a folder or a zip."
_SPLIT_SEED = 2019  # shui-ocr's year; the split is the same for every seed of a run
_DARK = 128  # a slice of darker pixels only is all ink, such as a tightly cropped bar


def normalise(slice_: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Centre a slice on a blank square, scale it to SIZE and make it black and white.

    The paper prints no threshold. Ours is Otsu's of the scaled slice without its white border, because against the
    border yellowed paper would count as ink.

    The slice is uint8 (h, w) or (h, w, 3), dark ink on light paper.

    Returns: uint8 (SIZE, SIZE), 0 for ink and 255 for paper.

    Raises:
        ValueError: no ink: one light level throughout.

    Source: shui-ocr, sections 3.2 and 4.1; N. Otsu, IEEE Transactions on Systems, Man, and Cybernetics 9 (1979).
    """
    grey = with_channels(slice_, 1)
    height, width = grey.shape
    matrix = fit_matrix(height, width, SIZE, MARGIN)
    square = resample(grey, matrix, SIZE)
    left, top = matrix[:, 2].astype(int).tolist()
    inner = square[top : top + round(matrix[1, 1] * height), left : left + round(matrix[0, 0] * width)]
    darkest, lightest = int(inner.min()), int(inner.max())
    if darkest == lightest >= _DARK:
        raise ValueError(f"no ink: grey level {lightest} throughout")
    threshold = cv2.threshold(inner, 0, PAPER, cv2.THRESH_OTSU)[0] if lightest >= _DARK else lightest
    return np.where(square > threshold, PAPER, 0).astype(np.uint8)


def read_slices(root: Path) -> tuple[tuple[str, ...], list[NDArray[np.uint8]], list[int]]:
    """Every slice of a folder or zip, normalised: class names, images, and their labels in the same order.

    Raises:
        DataError: nothing there, another layout, an empty class, a file that is no image, is truncated or has no ink.
    """
    classes = _by_class(root)
    paths = [path for files in classes.values() for path in files]
    labels = [label for label, files in enumerate(classes.values()) for _ in files]
    return tuple(classes), list(_normalised(root, paths)), labels


def quarter(labels: Sequence[int]) -> NDArray[np.bool_]:
    """Mask of the test slices: a quarter of each class, rounded down, independent of the other classes."""
    numbers = np.asarray(labels)
    chosen = np.zeros(len(numbers), bool)
    for label in np.unique(numbers):
        members = np.flatnonzero(numbers == label)
        order = np.random.default_rng(_SPLIT_SEED).permutation(members)
        chosen[order[: len(members) // TEST_QUARTER]] = True
    return chosen


def _normalised(root: Path, paths: Sequence[PurePosixPath]) -> Iterator[NDArray[np.uint8]]:
    for path, image in zip(paths, read_images(root, paths), strict=True):
        try:
            yield normalise(image)
        except ValueError as error:
            raise DataError(f"{root}/{path}", 0, "a character in dark ink on light paper", str(error)) from error


def _by_class(root: Path) -> dict[str, list[PurePosixPath]]:
    """Class -> its images, both sorted; a chain of folders that contain nothing but one folder is skipped."""
    if not root.exists():
        raise DataError(root, 0, "a folder or zip of labelled slices", "nothing there", LAYOUT_ADVICE)
    listed = list(entries(root))
    images = sorted(path for path, is_folder in listed if not is_folder and path.suffix.lower() in SUFFIXES)
    folders = {path for path, is_folder in listed if is_folder} | {parent for path in images for parent in path.parents}
    depth = _depth(images, folders)
    for path in images:
        if len(path.parts) <= depth + 1:
            raise DataError(f"{root}/{path}", 0, "every image in the folder of its class", "one outside", LAYOUT_ADVICE)
    members = {path: list[PurePosixPath]() for path in sorted(folders) if len(path.parts) == depth + 1}
    for path in images:
        members[PurePosixPath(*path.parts[: depth + 1])].append(path)
    _check(root, members)
    return {path.name: files for path, files in members.items()}


def _depth(images: Sequence[PurePosixPath], folders: set[PurePosixPath]) -> int:
    """Number of nested folders above the class folders: on each of these levels there is one folder and no image."""
    folders_at = Counter(len(path.parts) for path in folders)
    images_at = Counter(len(path.parts) for path in images)
    depth = 0
    while folders_at[depth + 1] == 1 and folders_at[depth + 2] and not images_at[depth + 1]:
        depth += 1
    return depth


def _check(root: Path, classes: dict[PurePosixPath, list[PurePosixPath]]) -> None:
    if len(classes) < 2:
        raise DataError(root, 0, "at least two folders CLASS with images", str(len(classes)), LAYOUT_ADVICE)
    if {path.name for path in classes} == {"train", "test"}:
        raise DataError(root, 0, "folders CLASS", "train and test", "Use --dataset image_folder for that layout.")
    for path, files in classes.items():
        if len(files) < TEST_QUARTER:
            wanted = f"at least {TEST_QUARTER} images, to leave a quarter for the test"
            raise DataError(f"{root}/{path}", 0, wanted, str(len(files)) if files else "an empty class")
