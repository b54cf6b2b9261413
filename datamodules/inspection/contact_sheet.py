"""Contact sheets: characters at their native size on a grid, to be looked at."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from datamodules._files import write_whole
from datamodules._image import PAPER

GAP = 4  # pixels of paper between the largest neighbours
LARGEST_CELL = 256  # pixels; whole pages among the characters are shrunk to it


def contact_sheet(images: Sequence[NDArray[np.uint8]], columns: int = 16) -> NDArray[np.uint8]:
    """Characters row by row, each centred in its cell, pixel for pixel.

    Args:
        images: uint8 (h, w) or (h, w, 3), RGB; one larger than LARGEST_CELL is shrunk to it.
        columns: characters a row.

    Returns: uint8 (H, W), or (H, W, 3) where any image is in colour.

    Raises:
        ValueError: no image, or no column.
    """
    if not images or columns < 1:
        raise ValueError(f"wanted at least one image and one column, got {len(images)} and {columns}")
    shown = [_shrink(image) for image in images]
    if any(image.ndim == 3 for image in shown):
        shown = [image if image.ndim == 3 else np.repeat(image[..., None], 3, 2) for image in shown]
    height = max(image.shape[0] for image in shown) + GAP
    width = max(image.shape[1] for image in shown) + GAP
    rows = -(-len(shown) // columns)
    sheet = np.full((rows * height, min(columns, len(shown)) * width, *shown[0].shape[2:]), PAPER, np.uint8)
    for index, image in enumerate(shown):
        h, w = image.shape[:2]
        top = index // columns * height + (height - h) // 2
        left = index % columns * width + (width - w) // 2
        sheet[top : top + h, left : left + w] = image
    return sheet


def write_contact_sheet(path: Path, images: Sequence[NDArray[np.uint8]], columns: int = 16) -> None:
    """Write ``contact_sheet`` as a PNG file, atomically.

    Raises:
        ValueError: no image, or no column.
    """
    sheet = contact_sheet(images, columns)
    encoded = cv2.imencode(".png", sheet if sheet.ndim == 2 else sheet[..., ::-1])[1]
    write_whole(path, encoded.tobytes())


def _shrink(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    scale = LARGEST_CELL / max(height, width)
    if scale >= 1:
        return image
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)  # type: ignore[return-value]
