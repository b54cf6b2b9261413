"""Unlabelled images: from any dataset, or from the user's folder, zip or idx files."""

import hashlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import DataLoader

from datamodules import DATASETS
from datamodules._base import CharacterDataModule, DatasetInfo, DataSettings, Splits
from datamodules._characters import Characters
from datamodules._errors import DataError
from datamodules._loader import Batch, Fitted
from datamodules.readers.idx import is_idx, read_idx
from datamodules.readers.image_tree import SUFFIXES, entries, read_images

_log = logging.getLogger(__name__)
_USER_FILES = "image_folder"  # the dataset whose images need no class folders here
_SAMPLE_SEED = 0  # fixed: ``at_most`` samples the same images for every seed of a run


@dataclass(frozen=True)
class UnlabelledImages:
    """Unlabelled images and their origin."""

    name: str  # of the dataset, or of the user's folder or file
    synthetic: bool | None  # drawn by a program; None if unknown
    fingerprint: str  # of the pixels or of the dataset, ``sha256:…``
    images: Characters  # the label of each image is its index

    def at_most(self, count: int) -> "UnlabelledImages":
        """All images, or a fixed random sample of ``count`` of them, numbered again from 0."""
        if count >= len(self.images):
            return self
        sample = np.sort(np.random.default_rng(_SAMPLE_SEED).permutation(len(self.images))[:count])
        return replace(self, images=_numbered(self.images.take(sample)))

    def described(self) -> str:
        """Native sizes and channels, for messages."""
        low = f"{self.images.heights.min()}x{self.images.widths.min()}"
        high = f"{self.images.heights.max()}x{self.images.widths.max()}"
        sizes = low if low == high else f"{low} to {high}"
        return _shape(sizes, self.images.channels)

    def say_conversion(self, channels: int, size: int) -> None:
        """Log that the data loader converts the images to the network's input, if their shape differs."""
        wanted = _shape(f"{size}x{size}", channels)
        if self.described() != wanted:
            _log.info("unlabelled images of %s: %s, converted to %s", self.name, self.described(), wanted)


def images_of(datamodule: CharacterDataModule) -> UnlabelledImages:
    """The training images of a dataset, without their labels."""
    info = datamodule.info
    return UnlabelledImages(info.name, info.synthetic, datamodule.fingerprint, _numbered(datamodule.train))


def read_unlabelled(source: str, settings: DataSettings) -> UnlabelledImages:
    """The images of ``DATASET`` or ``DATASET:ROOT``.

    ``image_folder:ROOT`` reads every image in a folder, a zip, or idx files such as MNIST's; the folders may have any
    names. If there is a folder ``train``, it skips folders ``test``. Any other dataset gives its training images.

    Args:
        source: name of the dataset and, if its files are the user's, their path.
        settings: options for embedded data; ``data_root`` is ignored.

    Raises:
        UnknownPlugin: no such dataset.
        ValueError: a path for a dataset that needs none.
        DataError: the path does not exist or holds no image, or a file is damaged.
    """
    name, _, place = source.partition(":")
    root = Path(place) if place else None
    DATASETS.check(name)
    if name == _USER_FILES and root is not None:
        return _read_user_files(root)
    try:
        unlabelled = images_of(DATASETS.load(name).build(replace(settings, data_root=root)))
    except DataError as error:
        if root is not None or error.file != "--data-root":
            raise
        got, advice = f"{name} alone", f"Add the path: {name}:DIR."
        raise DataError("--unlabelled", error.offset, error.wanted, got, advice) from error
    _check_any(unlabelled.images, place or name)
    return unlabelled


class Unlabelled(CharacterDataModule):
    """Batches of unlabelled images for training, with the validation part of labelled data.

    Args:
        source: the images; each label is the index of the image.
        labelled: the datamodule that the network was trained on, used only for validation.
        seed: seeds the shuffling and the augmentation.
    """

    def __init__(self, source: UnlabelledImages, labelled: CharacterDataModule, seed: int = 0) -> None:
        super().__init__(seed=seed)
        self.source, self.labelled = source, labelled

    def load(self) -> Splits:
        """Combine the two sources; the test part is empty."""
        images, labelled = self.source.images, self.labelled
        _check_any(images, self.source.name)
        return Splits(labelled.labels, images, labelled.val, images.take(np.arange(0)), self.source.fingerprint)

    def describe(self, splits: Splits) -> DatasetInfo:
        """Metadata of the unlabelled images."""
        return DatasetInfo(self.source.name, 0, splits.sizes, "", "", bool(self.source.synthetic))

    def in_order(self, epoch: int) -> DataLoader[Batch]:
        """Loads the augmented training images of an epoch, but in the order of their indices."""
        loader = self._loader(self.train, self._augmentation or Fitted(self.size), shuffle=False)
        loader.sampler.set_epoch(epoch)  # type: ignore[attr-defined]
        return loader


def _read_user_files(root: Path) -> UnlabelledImages:
    if not root.exists():
        raise DataError(root, 0, "unlabelled images", "nothing there", "Name a folder, a zip or an idx file.")
    images = _numbered(Characters.pack(_all_images(root), []))
    _check_any(images, root)
    digest = hashlib.sha256(np.ascontiguousarray([images.heights, images.widths]).tobytes())
    digest.update(images.pixels.tobytes())
    return UnlabelledImages(root.resolve().name, None, f"sha256:{digest.hexdigest()}", images)


def _all_images(root: Path) -> Iterator[NDArray[np.uint8]]:
    """All images of a file, folder or zip, sorted by name."""
    if root.is_file() and is_idx(root):
        yield from read_idx(root)
        return
    paths = sorted(path for path, is_folder in entries(root) if not is_folder)
    if any("train" in path.parts[:-1] for path in paths):  # never train on the test part
        paths = [path for path in paths if "test" not in path.parts[:-1]]
    for path in paths if root.is_dir() else ():
        if is_idx(path):
            yield from read_idx(root / path)
    yield from read_images(root, [path for path in paths if path.suffix.lower() in SUFFIXES])


def _shape(sizes: str, channels: int) -> str:
    return f"{sizes} pixels in {channels} channel{'s' if channels > 1 else ''}"


def _numbered(images: Characters) -> Characters:
    return replace(images, labels=np.arange(len(images.heights), dtype=np.int64))


def _check_any(images: Characters, place: str | Path) -> None:
    if not len(images):
        raise DataError(place, 0, "unlabelled images", "none", f"Supported file types: {', '.join(SUFFIXES)}, idx.")
