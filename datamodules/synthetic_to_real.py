"""Train on synthetic handwriting alone, test on real .gnt files: does what was drawn carry over to what was written?"""

from pathlib import Path

from datamodules._base import CharacterDataModule, DatasetInfo, DataSettings, Splits
from datamodules._errors import DataError
from datamodules.readers.gb2312 import LEVEL1
from datamodules.readers.gnt import gnt_character, read_gnt
from datamodules.readers.hwdb import read_characters
from datamodules.synthetic_hwdb import SyntheticHWDB, spread

SOURCE = "training part drawn by this suite, test part the user's real .gnt files"
LICENCE = "training part free of rights; test part as its owner states"
SYNTHETIC = True
NOTE = "Learned from **synthetic** characters alone, which a program drew; tested on real handwriting."
CLASSES = 100  # at least; the tested characters among them
WRITERS = 200  # synthetic, for training


class SyntheticToReal(CharacterDataModule):
    """Synthetic writers for training and validation, real records for the test.

    Args:
        data_root: a folder of .gnt files, at any depth; records outside GB2312 level 1 are dropped.
        classes: label-space size: the characters tested, filled up evenly from level 1.
        writers: synthetic training writers.
        batch_size, workers, seed: see CharacterDataModule.

    Raises:
        DataError: no .gnt file there, none with a level-1 character, or a damaged one.
    """

    def __init__(
        self,
        data_root: Path,
        classes: int = CLASSES,
        writers: int = WRITERS,
        batch_size: int = 64,
        workers: int = 0,
        seed: int = 0,
    ) -> None:
        super().__init__(batch_size, workers, seed)
        self.data_root, self.classes, self.writers = Path(data_root), classes, writers

    def load(self) -> Splits:
        """Read the real files, then draw what is to be learned from."""
        files = sorted(self.data_root.rglob("*.gnt")) if self.data_root.is_dir() else []
        if not files:
            raise DataError(self.data_root, 0, "a folder of .gnt files", "none there")
        known = set(LEVEL1)
        tested = {gnt_character(record.tag) for file in files for record in read_gnt(file)} & known
        if not tested:
            raise DataError(self.data_root, 0, "records of GB2312 level-1 characters", "none")
        filling = [c for c in spread(min(self.classes + len(tested), len(LEVEL1))) if c not in tested]
        labels = sorted({*tested, *filling[: max(0, self.classes - len(tested))]}, key=LEVEL1.index)
        drawn = SyntheticHWDB(labels, (self.writers, 1)).load()
        return Splits(tuple(labels), drawn.train, drawn.val, read_characters(files, labels))

    def describe(self, splits: Splits) -> DatasetInfo:
        """Facts for records and boards."""
        sizes = {"train": len(splits.train), "val": len(splits.val), "test": len(splits.test)}
        return DatasetInfo("synthetic_to_real", len(splits.labels), sizes, SOURCE, LICENCE, SYNTHETIC, NOTE)


def build(settings: DataSettings) -> SyntheticToReal:
    """The datamodule for a suite.

    Raises:
        DataError: without a data root.
    """
    if settings.data_root is None:
        raise DataError("--data-root", 0, "a folder of real .gnt files", "nothing")
    return SyntheticToReal(settings.data_root)
