"""ImageNet: photographs of 1,000 kinds of things, which the networks of quant-retrain are trained on."""

import hashlib
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datamodules._base import CharacterDataModule, DatasetInfo, DataSettings, Splits
from datamodules._characters import NO_WRITER, Characters
from datamodules._errors import DataError
from datamodules.readers.decode import decode_middle

SOURCE = "O. Russakovsky and others, ImageNet large scale visual recognition challenge, IJCV 115 (2015), 211-252"
LICENCE = "research and education alone, by the terms under which its owners give it out"
SYNTHETIC = False
CLASSES = 1000
WHOLE = (1_281_167, 50_000)  # photographs for training and for validation, which serves as the test part here
SHORTER, SIDE = 256, 224  # as torchvision's networks are tested: the shorter side, and the square from the middle
VALIDATED = 10  # training photographs of a class that validate
_SUFFIXES = (".jpeg", ".jpg", ".png")
_SPLIT_SEED = 2012
_ADVICE = "Expected: val/CLASS/*.JPEG and train/CLASS/*.JPEG, as torchvision.datasets.ImageNet unpacks the archives."


@dataclass(frozen=True)
class PhotographFiles(Characters):
    """Photographs that stay in their files until they are asked for: all together are larger than memory.

    Attributes:
        root: of the files.
        files: their names below it, of bytes (n,): as strings, those of a million would take four times as much.
    """

    root: Path = Path()
    files: NDArray[np.bytes_] = field(default_factory=lambda: np.empty(0, "S1"))

    @classmethod
    def of(cls, root: Path, files: list[str], labels: list[int]) -> "PhotographFiles":
        """Those of files below a folder, in this order."""
        count = len(files)
        sides, writers = np.full(count, SIDE, np.int32), np.full(count, NO_WRITER, np.int32)
        names = np.array([os.fsencode(file) for file in files], "S")
        return cls(
            np.empty(0, np.uint8), np.zeros(count, np.int64), sides, sides, np.array(labels, np.int64), writers, 3,
            root, names,
        )  # fmt: skip

    def image(self, index: int) -> NDArray[np.uint8]:
        """One photograph's middle, uint8 (SIDE, SIDE, 3).

        Raises:
            DataError: its file is gone, or no whole image.
        """
        path = self.root / os.fsdecode(self.files[index])
        try:
            content = path.read_bytes()
        except OSError as error:
            got = error.strerror or str(error)
            raise DataError(path, 0, "a photograph", got, "Unpack the archive again.") from error
        return decode_middle(content, str(path), SHORTER, SIDE)

    def take(self, indices: NDArray[np.intp]) -> "PhotographFiles":
        """The photographs at these indices."""
        parts = ("offsets", "heights", "widths", "labels", "writers", "files")
        kept: dict[str, Any] = {name: getattr(self, name)[indices] for name in parts}
        return replace(self, **kept)


class ImageNet(CharacterDataModule):
    """ImageNet's photographs from the user's folders, cut to squares of 224 pixels.

    The official validation part is the test part: the official test part has no labels. Of the training photographs,
    VALIDATED of each class validate. Without a folder ``train`` there are none, and they come from ``val``: enough for
    networks whose weights are given. The fingerprint is over the names and sizes of all files; they are read when their
    photographs are wanted, so that damage shows then.

    Args:
        data_root: the folder with ``val`` and ``train``.
        batch_size, workers, seed: see CharacterDataModule.

    Raises:
        DataError: no such folder, or other classes than ImageNet's 1,000.
    """

    def __init__(self, data_root: Path, batch_size: int = 64, workers: int = 0, seed: int = 0) -> None:
        super().__init__(batch_size, workers, seed)
        self.data_root = Path(data_root)

    def load(self) -> Splits:
        """List every file once; none is decoded."""
        test, labels, listed = _part(self.data_root, "val")
        train = test.take(np.arange(0))
        if (self.data_root / "train").is_dir():
            train, others, more = _part(self.data_root, "train")
            if others != labels:
                odd = sorted(set(others) ^ set(labels))
                got = f"only on one side: {', '.join(odd[:10])}"
                raise DataError(self.data_root, 0, "the same classes in train and val", got, _ADVICE)
            listed += more
            train, val = _cut(train)
        else:
            test, val = _cut(test)
        if not len(val):
            wanted = f"three photographs of some class in {'train' if len(train) else 'val'}, to validate with one"
            raise DataError(self.data_root, 0, wanted, "fewer", _ADVICE)
        cut = [f"{SHORTER} {SIDE}", *(os.fsdecode(file) for file in val.files)]
        content = hashlib.sha256("\n".join([*listed, *cut]).encode("utf-8", "surrogateescape")).hexdigest()
        return Splits(labels, train, val, test, content)

    def describe(self, splits: Splits) -> DatasetInfo:
        """Facts for records and boards."""
        sizes = {"train": len(splits.train), "val": len(splits.val), "test": len(splits.test)}
        return DatasetInfo("imagenet", len(splits.labels), sizes, SOURCE, LICENCE, SYNTHETIC, _note(sizes))


def build(settings: DataSettings) -> ImageNet:
    """The datamodule for a suite.

    Raises:
        DataError: no folder is named.
    """
    if settings.data_root is None:
        raise DataError("--data-root", 0, "the folder of ImageNet's photographs", "none", _ADVICE)
    return ImageNet(settings.data_root)


def _part(root: Path, name: str) -> tuple[PhotographFiles, tuple[str, ...], list[str]]:
    """The photographs of one part, its classes in label order, and every file with its size."""
    folder = root / name
    if not folder.is_dir():
        raise DataError(folder, 0, "a folder of classes", "nothing there", _ADVICE)
    classes = tuple(sorted(entry.name for entry in os.scandir(folder) if entry.is_dir()))
    if len(classes) != CLASSES:
        got = f"{len(classes)}" + (f", such as {classes[0]}" if classes else "")
        raise DataError(folder, 0, f"ImageNet's {CLASSES:,} classes, a folder each", got, _ADVICE)
    files, labels, listed = [], [], []
    for label, each in enumerate(classes):
        entries = (entry for entry in os.scandir(folder / each) if _is_photo(entry.name))
        found = sorted((entry.name, entry.stat().st_size) for entry in entries)
        if not found:
            raise DataError(folder / each, 0, "at least one photograph", "an empty class", _ADVICE)
        files += [f"{name}/{each}/{file}" for file, _ in found]
        labels += [label] * len(found)
        listed += [f"{name}/{each}/{file} {size}" for file, size in found]
    return PhotographFiles.of(root, files, labels), classes, listed


def _is_photo(name: str) -> bool:
    return name.lower().endswith(_SUFFIXES) and not name.startswith(".")


def _cut(part: PhotographFiles) -> tuple[PhotographFiles, PhotographFiles]:
    """(rest, validation): VALIDATED photographs of each class validate, at most a third of them."""
    rng = np.random.default_rng(_SPLIT_SEED)
    chosen = np.zeros(len(part), bool)
    for label in range(CLASSES):
        members = np.flatnonzero(part.labels == label)
        chosen[rng.permutation(members)[: min(VALIDATED, len(members) // 3)]] = True
    return part.take(np.flatnonzero(~chosen)), part.take(np.flatnonzero(chosen))


def _note(sizes: dict[str, int]) -> str:
    """What boards must say where this is not the whole dataset; empty where it is."""
    train, test = sizes["train"] + sizes["val"] if sizes["train"] else 0, sizes["test"]
    if (train, test) == WHOLE:
        return ""
    return f"**A part of ImageNet**: {train:,} of {WHOLE[0]:,} training and {test:,} of {WHOLE[1]:,} test photographs."
