"""Images of any dataset without their labels: what a network may learn from when nobody has named anything."""

import hashlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import DataLoader

from datamodules import DATASETS
from datamodules._base import CharacterDataModule, DatasetInfo, DataSettings, Splits
from datamodules._characters import Characters
from datamodules._errors import DataError
from datamodules._loader import Batch, BatchDataset, Fitted, make_loader
from datamodules.readers.idx import is_idx, read_idx
from datamodules.readers.image_tree import SUFFIXES, entries, read_images

_log = logging.getLogger(__name__)
_OWN_FILES = "image_folder"  # the dataset whose files, for this use, need no classes
_CHOSEN_SEED = 0  # of the images that are taken where there are too many: the same for every seed of a run


@dataclass(frozen=True)
class UnlabelledImages:
    """Images and where they come from.

    Attributes:
        name: of their dataset, or of the user's folder or file.
        synthetic: whether a program drew them; None where that is not known.
        fingerprint: of the pixels or of the dataset, ``sha256:…``.
        images: each one's label is its own number.
    """

    name: str
    synthetic: bool | None
    fingerprint: str
    images: Characters

    def at_most(self, count: int) -> "UnlabelledImages":
        """The same, or so many of them, drawn once and for all and numbered anew."""
        if count >= len(self.images):
            return self
        chosen = np.sort(np.random.default_rng(_CHOSEN_SEED).permutation(len(self.images))[:count])
        return replace(self, images=_numbered(self.images.take(chosen)))

    def described(self) -> str:
        """Sizes and channels as they are."""
        low = f"{self.images.heights.min()}x{self.images.widths.min()}"
        high = f"{self.images.heights.max()}x{self.images.widths.max()}"
        sizes = low if low == high else f"{low} to {high}"
        return _shape(sizes, self.images.channels)

    def say_conversion(self, channels: int, size: int) -> None:
        """Log that images of another shape are converted to a network's input, which loaders do."""
        wanted = _shape(f"{size}x{size}", channels)
        if self.described() != wanted:
            _log.info("unlabelled images of %s: %s, converted to %s", self.name, self.described(), wanted)


def images_of(datamodule: CharacterDataModule) -> UnlabelledImages:
    """The training images of a dataset, their labels left behind."""
    info = datamodule.info
    return UnlabelledImages(info.name, info.synthetic, datamodule.fingerprint, _numbered(datamodule.train))


def read_unlabelled(spelt: str, settings: DataSettings) -> UnlabelledImages:
    """The images that ``DATASET`` or ``DATASET:ROOT`` means.

    ``image_folder:ROOT`` takes every image below a folder, in a zip, or in idx files such as MNIST's, whatever the
    folders are called, but of those with a folder ``train`` nothing below ``test``; of any other dataset the training
    images are taken.

    Args:
        spelt: a dataset's name and, where its files are the user's, their place.
        settings: what a suite asks of embedded data; its ``data_root`` is not looked at.

    Raises:
        UnknownPlugin: no such dataset.
        ValueError: a place for a dataset that takes none.
        DataError: nothing there, no image among it, or damage.
    """
    name, _, place = spelt.partition(":")
    root = Path(place) if place else None
    DATASETS.check(name)
    if name == _OWN_FILES and root is not None:
        return _own_files(root)
    try:
        datamodule: CharacterDataModule = DATASETS.load(name).build(replace(settings, data_root=root))
        found = images_of(datamodule)
    except DataError as error:
        if root is not None or error.file != "--data-root":
            raise
        got, advice = f"{name} alone", f"Name their place: {name}:DIR."
        raise DataError("--unlabelled", error.offset, error.wanted, got, advice) from error
    _check_any(found.images, place or name)
    return found


class Unlabelled(CharacterDataModule):
    """Batches of images whose label is their own number; the validation part is that of the data they serve.

    Args:
        source: the images.
        beside: the datamodule of the network's own data, for its validation part alone.
        seed: of the order and of the augmentation.
    """

    def __init__(self, source: UnlabelledImages, beside: CharacterDataModule, seed: int = 0) -> None:
        super().__init__(seed=seed)
        self.source, self.beside = source, beside

    def load(self) -> Splits:
        """Nothing is read again; there is no test part."""
        images = self.source.images
        _check_any(images, self.source.name)
        return Splits(self.beside.labels, images, self.beside.val, images.take(np.arange(0)), self.source.fingerprint)

    def describe(self, splits: Splits) -> DatasetInfo:
        """Facts of the images."""
        sizes = {"train": len(splits.train), "val": len(splits.val), "test": 0}
        return DatasetInfo(self.source.name, 0, sizes, "", "", bool(self.source.synthetic))

    def in_order(self, epoch: int) -> DataLoader[Batch]:
        """Every image as training meets it in an epoch, in the order of their numbers."""
        view = self._augmentation or Fitted(self.size)
        dataset = BatchDataset(self.train, view, self.size, self.channels, self.seed)
        loader = make_loader(dataset, self.batch_size, shuffle=False, workers=0)
        loader.sampler.set_epoch(epoch)  # type: ignore[attr-defined]
        return loader


def _own_files(root: Path) -> UnlabelledImages:
    if not root.exists():
        raise DataError(root, 0, "images to learn from", "nothing there", "Name a folder, a zip or an idx file.")
    images = _numbered(Characters.pack(_alike(list(_all_images(root))), []))
    _check_any(images, root)
    digest = hashlib.sha256(np.ascontiguousarray([images.heights, images.widths]).tobytes())
    digest.update(images.pixels.tobytes())
    return UnlabelledImages(root.resolve().name, None, f"sha256:{digest.hexdigest()}", images)


def _all_images(root: Path) -> Iterator[NDArray[np.uint8]]:
    """Every image of a file, folder or zip, in the order of their names."""
    if root.is_file() and is_idx(root):
        yield from read_idx(root)
        return
    paths = _but_test(sorted(path for path, is_folder in entries(root) if not is_folder))
    for path in paths if root.is_dir() else ():
        if is_idx(path):
            yield from read_idx(root / path)
    yield from read_images(root, [path for path in paths if path.suffix.lower() in SUFFIXES])


def _but_test(paths: list[PurePosixPath]) -> list[PurePosixPath]:
    """Where there is a training part, that without the test part: nobody learns from what will be asked."""
    if not any("train" in path.parts[:-1] for path in paths):
        return paths
    return [path for path in paths if "test" not in path.parts[:-1]]


def _alike(images: list[NDArray[np.uint8]]) -> list[NDArray[np.uint8]]:
    """Grey and colour images together are all colour."""
    if not any(image.ndim == 3 for image in images):
        return images
    return [image if image.ndim == 3 else np.repeat(image[..., None], 3, 2) for image in images]


def _shape(sizes: str, channels: int) -> str:
    return f"{sizes} pixels in {channels} channel{'s' if channels > 1 else ''}"


def _numbered(images: Characters) -> Characters:
    return replace(images, labels=np.arange(len(images.heights), dtype=np.int64))


def _check_any(images: Characters, place: str | Path) -> None:
    if not len(images):
        raise DataError(place, 0, "images to learn from", "none", f"Known kinds of files: {', '.join(SUFFIXES)}, idx.")
