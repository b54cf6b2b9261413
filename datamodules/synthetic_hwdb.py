"""Synthetic handwriting: real characters drawn by synthetic writers, stored and read as true CASIA .gnt files."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from datamodules._base import CharacterDataModule, DatasetInfo, DataSettings, Splits
from datamodules._files import cache_folder
from datamodules.readers.gb2312 import LEVEL1
from datamodules.readers.hwdb import read_characters
from datamodules.synthetic import handwriting as _handwriting
from datamodules.synthetic import pen as _pen
from datamodules.synthetic import skeleton as _skeleton
from datamodules.synthetic import strokes as _strokes
from datamodules.synthetic import writer as _hand

SOURCE = "drawn by this suite from OpenCV's built-in font; no person wrote it"
LICENCE = "synthetic, free of rights"
SYNTHETIC = True
# HWDB1.1's numbers of writers, for a whole-size set.
WRITERS = (240, 60)
VALIDATION_CHARACTERS = 256  # latency cycles through as many
_SEED = 0  # of the writers; a run's own seed must not change the data
# Writers of different parts have numbers far apart, so that a larger part never runs into another.
_FIRST_WRITER = {"train": 1, "val": 100_001, "test": 200_001}


class SyntheticHWDB(CharacterDataModule):
    """Level-1 characters of GB2312 in synthetic handwriting, split by writer.

    Args:
        classes: how many of the 3,755 characters, evenly spread; or the characters themselves, in label order.
        writers: (train, test) writers; every writer writes every character once. Validation has writers of its
            own, a tenth of train's or as many as latency needs.
        batch_size, workers, seed: see CharacterDataModule; ``seed`` does not change the characters.
    """

    def __init__(
        self,
        classes: int | Sequence[str] = len(LEVEL1),
        writers: tuple[int, int] = WRITERS,
        batch_size: int = 64,
        workers: int = 0,
        seed: int = 0,
    ) -> None:
        super().__init__(batch_size, workers, seed)
        self.characters = spread(classes) if isinstance(classes, int) else tuple(classes)
        if len(self.characters) < 2:
            raise ValueError(f"wanted at least 2 classes, got {len(self.characters)}")
        self.writers = writer_numbers(len(self.characters), writers)

    def prepare_data(self) -> None:
        """Write the .gnt files that the cache does not hold yet."""
        folder = writers_folder(self.characters)
        for writer in (number for numbers in self.writers.values() for number in numbers):
            if not (folder / _handwriting.file_name(writer)).exists():
                _handwriting.write_synthetic_writer(folder, self.characters, writer, _SEED)

    def load(self) -> Splits:
        """Write what is missing, then read every file back."""
        self.prepare_data()
        folder = writers_folder(self.characters)
        parts = {
            part: read_characters([folder / _handwriting.file_name(w) for w in numbers], self.characters, numbers)
            for part, numbers in self.writers.items()
        }
        return Splits(self.characters, parts["train"], parts["val"], parts["test"])

    def describe(self, splits: Splits) -> DatasetInfo:
        """Facts for records and boards."""
        sizes = {"train": len(splits.train), "val": len(splits.val), "test": len(splits.test)}
        return DatasetInfo("synthetic_hwdb", len(splits.labels), sizes, SOURCE, LICENCE, SYNTHETIC)


def build(settings: DataSettings) -> SyntheticHWDB:
    """The datamodule for a suite.

    Raises:
        ValueError: with a data root; this dataset is embedded.
    """
    if settings.data_root is not None:
        raise ValueError("synthetic_hwdb is embedded and takes no --data-root; did you mean --dataset image_folder?")
    return SyntheticHWDB(settings.classes or len(LEVEL1), settings.writers or WRITERS)


def writer_numbers(classes: int, writers: tuple[int, int]) -> dict[str, range]:
    """The numbers of the synthetic writers of each part, each of whom writes every class once.

    Validation has a tenth of train's writers, or as many as latency needs.

    Args:
        classes: how many.
        writers: of train and test.

    Raises:
        ValueError: a part without writers.
    """
    if min(writers) < 1:
        raise ValueError(f"wanted at least one writer in train and in test, got {writers}")
    validation = max(-(-VALIDATION_CHARACTERS // classes), writers[0] // 10)
    counts = {"train": writers[0], "val": validation, "test": writers[1]}
    return {part: range(first, first + counts[part]) for part, first in _FIRST_WRITER.items()}


def spread(classes: int) -> tuple[str, ...]:
    """This many level-1 characters, evenly spread over GB2312 order.

    Raises:
        ValueError: more than there are, or none.
    """
    if not 1 <= classes <= len(LEVEL1):
        raise ValueError(f"wanted 1 to {len(LEVEL1)} classes, got {classes}")
    return tuple(LEVEL1[i] for i in np.linspace(0, len(LEVEL1) - 1, classes).astype(int))


def writers_folder(characters: Sequence[str]) -> Path:
    """The cache folder of one choice of characters, drawn by the present generator.

    A changed generator gets a folder of its own: the name holds a hash of its source.
    """
    sources = [Path(str(module.__file__)) for module in (_hand, _handwriting, _pen, _skeleton, _strokes)]
    generator = hashlib.sha256(b"".join(file.read_bytes() for file in sources)).hexdigest()
    chosen = hashlib.sha256("".join(characters).encode()).hexdigest()
    return cache_folder() / "synthetic_hwdb" / f"{len(characters)}-{chosen[:8]}-{generator[:8]}"
