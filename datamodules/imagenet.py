"""ImageNet: photographs of 1,000 classes; the networks of quant-retrain are trained on them."""

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from datamodules._base import CharacterDataModule, DatasetInfo, DataSettings, Splits
from datamodules._characters import NO_WRITER, Characters
from datamodules._errors import DataError
from datamodules.readers.decode import decode_middle

SOURCE = "O. Russakovsky and others, ImageNet large scale visual recognition challenge, IJCV 115 (2015), 211-252"
# https://www.image-net.org/download.php, "Terms of Access".
LICENCE = "non-commercial research and education only, under ImageNet's terms of access"
SYNTHETIC = False
CLASSES = 1000
WHOLE = (1_281_167, 50_000)  # photographs in the official training and validation parts; the latter is our test part
SHORTER, SIDE = 256, 224  # as torchvision tests its networks: resize the shorter side, then crop the centre
VALIDATED = 10  # training photographs of each class that are used for validation
_SUFFIXES = (".jpeg", ".jpg", ".png")
_SPLIT_SEED = 2012
_ADVICE = "Expected: val/CLASS/*.JPEG and train/CLASS/*.JPEG, as torchvision.datasets.ImageNet unpacks the archives."


@dataclass(frozen=True)
class PhotographFiles(Characters):
    """Photographs that are read from their files on access, because all together exceed the memory."""

    root: Path = Path()
    # Paths below ``root``, (n,), as bytes: strings of a million files would take four times the memory.
    files: NDArray[np.bytes_] = field(default_factory=lambda: np.empty(0, "S1"))

    PER_IMAGE = (*Characters.PER_IMAGE, "files")

    @classmethod
    def of(cls, root: Path, files: list[str], labels: list[int]) -> "PhotographFiles":
        """The photographs in these files below a folder, in this order."""
        count = len(files)
        sides, writers = np.full(count, SIDE, np.int32), np.full(count, NO_WRITER, np.int32)
        names = np.array([os.fsencode(file) for file in files], "S")
        return cls(
            np.empty(0, np.uint8), np.zeros(count, np.int64), sides, sides, np.array(labels, np.int64), writers, 3,
            root, names,
        )  # fmt: skip

    def image(self, index: int) -> NDArray[np.uint8]:
        """The centre of one photograph, uint8 (SIDE, SIDE, 3).

        Raises:
            DataError: the file is missing or damaged.
        """
        path = self.root / os.fsdecode(self.files[index])
        try:
            content = path.read_bytes()
        except OSError as error:
            cause = error.strerror or str(error)
            raise DataError(path, 0, "a photograph", cause, "Unpack the archive again.") from error
        return decode_middle(content, str(path), SHORTER, SIDE)


class ImageNet(CharacterDataModule):
    """ImageNet's photographs from the user's folders, cropped to squares of 224 pixels.

    The official validation part is our test part, because the official test part has no labels. VALIDATED training
    photographs of each class are used for validation. Without a folder ``train`` the training part is empty, and those
    for validation come from ``val``: enough for pretrained networks. The fingerprint covers the names and sizes of all
    files; files are decoded on access, and damage is reported then.

    Args:
        data_root: the folder with ``val`` and ``train``.

    Raises:
        DataError: a folder is missing, or its classes are not ImageNet's 1,000.
    """

    def __init__(self, data_root: Path, batch_size: int = 64, workers: int = 0, seed: int = 0) -> None:
        super().__init__(batch_size, workers, seed)
        self.data_root = Path(data_root)

    def load(self) -> Splits:
        """List all files without decoding them."""
        test, labels, listed = _list_part(self.data_root, "val")
        if (self.data_root / "train").is_dir():
            train, train_labels, train_listed = _list_part(self.data_root, "train")
            if train_labels != labels:
                got = f"only on one side: {', '.join(sorted(set(train_labels) ^ set(labels))[:10])}"
                raise DataError(self.data_root, 0, "the same classes in train and val", got, _ADVICE)
            listed += train_listed
            train, val = _cut_validation(train)
        else:
            train = test.take(np.arange(0))
            test, val = _cut_validation(test)
        if not len(val):
            wanted = f"at least three photographs of some class in {'train' if len(train) else 'val'}, for validation"
            raise DataError(self.data_root, 0, wanted, "fewer", _ADVICE)
        cut = [f"{SHORTER} {SIDE}", *(os.fsdecode(file) for file in val.files)]
        content = hashlib.sha256("\n".join([*listed, *cut]).encode("utf-8", "surrogateescape")).hexdigest()
        return Splits(labels, train, val, test, content)

    def describe(self, splits: Splits) -> DatasetInfo:
        """Metadata; the note says if files are missing."""
        sizes, note = splits.sizes, ""
        train, test = sizes["train"] + sizes["val"] if sizes["train"] else 0, sizes["test"]
        if (train, test) != WHOLE:
            shares = f"{train:,} of {WHOLE[0]:,} training and {test:,} of {WHOLE[1]:,} test photographs"
            note = f"**A part of ImageNet**: {shares}."
        return DatasetInfo("imagenet", len(splits.labels), sizes, SOURCE, LICENCE, SYNTHETIC, note)


def build(settings: DataSettings) -> ImageNet:
    """The datamodule for a suite; raises DataError without a data root."""
    return ImageNet(settings.require_data_root("the folder of ImageNet's photographs", _ADVICE))


def _list_part(root: Path, name: str) -> tuple[PhotographFiles, tuple[str, ...], list[str]]:
    """The photographs of one part, its classes in label order, and a line with path and size for each file."""
    folder = root / name
    if not folder.is_dir():
        raise DataError(folder, 0, "a folder of classes", "nothing there", _ADVICE)
    classes = tuple(sorted(entry.name for entry in os.scandir(folder) if entry.is_dir()))
    if len(classes) != CLASSES:
        got = f"{len(classes)}" + (f", such as {classes[0]}" if classes else "")
        raise DataError(folder, 0, f"ImageNet's {CLASSES:,} classes, a folder each", got, _ADVICE)
    files, labels, listed = [], [], []
    for label, label_name in enumerate(classes):
        entries = (entry for entry in os.scandir(folder / label_name) if _is_photo(entry.name))
        photos = sorted((f"{name}/{label_name}/{entry.name}", entry.stat().st_size) for entry in entries)
        if not photos:
            raise DataError(folder / label_name, 0, "at least one photograph", "an empty class", _ADVICE)
        files += [path for path, _ in photos]
        labels += [label] * len(photos)
        listed += [f"{path} {size}" for path, size in photos]
    return PhotographFiles.of(root, files, labels), classes, listed


def _is_photo(name: str) -> bool:
    return name.lower().endswith(_SUFFIXES) and not name.startswith(".")


def _cut_validation(part: PhotographFiles) -> tuple[PhotographFiles, PhotographFiles]:
    """Split into (rest, validation): VALIDATED photographs of each class, but at most a third of them."""
    rng = np.random.default_rng(_SPLIT_SEED)
    chosen = np.zeros(len(part), bool)
    for label in range(CLASSES):
        members = np.flatnonzero(part.labels == label)
        chosen[rng.permutation(members)[: min(VALIDATED, len(members) // 3)]] = True
    return part.take(~chosen), part.take(chosen)
