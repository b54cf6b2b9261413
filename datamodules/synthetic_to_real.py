"""Trains on synthetic handwriting only, tests on real .gnt files."""

from pathlib import Path

from datamodules._base import CharacterDataModule, DatasetInfo, DataSettings, Splits
from datamodules._errors import DataError
from datamodules.readers.gb2312 import LEVEL1
from datamodules.readers.gnt import gnt_character, read_gnt
from datamodules.readers.hwdb import read_characters
from datamodules.synthetic_hwdb import SyntheticHWDB, spread

SOURCE = "training part drawn by this suite, test part the user's real .gnt files"
LICENCE = "training part: drawn from the font WenQuanYi Micro Hei (Apache License 2.0); test part: not stated"
SYNTHETIC = True
NOTE = "Learned from **synthetic** characters alone, which a program drew; tested on real handwriting."
CLASSES = 100  # or more, if the test files have more
WRITERS = 200  # synthetic training writers


class SyntheticToReal(CharacterDataModule):
    """Synthetic characters for training and validation, real characters for the test.

    Args:
        data_root: a folder with .gnt files at any depth; records outside GB2312 level 1 are dropped.
        classes: number of classes: the characters in the test files, filled up evenly from level 1.
        writers: number of synthetic training writers.

    Raises:
        DataError: there is no .gnt file, no level-1 character, or a file is damaged.
    """

    def __init__(
        self, data_root: Path, classes: int = CLASSES, writers: int = WRITERS,
        batch_size: int = 64, workers: int = 0, seed: int = 0,
    ) -> None:  # fmt: skip
        super().__init__(batch_size, workers, seed)
        self.data_root, self.classes, self.writers = Path(data_root), classes, writers

    def load(self) -> Splits:
        """Read the real test files, then draw the training characters."""
        files = sorted(self.data_root.rglob("*.gnt")) if self.data_root.is_dir() else []
        if not files:
            raise DataError(self.data_root, 0, "a folder of .gnt files", "none there")
        tested = {gnt_character(record.tag) for file in files for record in read_gnt(file)} & set(LEVEL1)
        if not tested:
            raise DataError(self.data_root, 0, "records of GB2312 level-1 characters", "none")
        untested = [c for c in spread(min(self.classes + len(tested), len(LEVEL1))) if c not in tested]
        labels = sorted({*tested, *untested[: max(0, self.classes - len(tested))]}, key=LEVEL1.index)
        drawn = SyntheticHWDB(labels, (self.writers, 1)).load()
        return Splits(tuple(labels), drawn.train, drawn.val, read_characters(files, labels))

    def describe(self, splits: Splits) -> DatasetInfo:
        """Metadata for records and boards."""
        return DatasetInfo("synthetic_to_real", len(splits.labels), splits.sizes, SOURCE, LICENCE, SYNTHETIC, NOTE)


def build(settings: DataSettings) -> SyntheticToReal:
    """The datamodule for a suite; raises DataError without a data root."""
    return SyntheticToReal(settings.require_data_root("a folder of real .gnt files"))
