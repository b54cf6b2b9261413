"""CASIA-HWDB1.1 as folders of .gnt files: 240 writers train, 60 test, 3,755 classes."""

import re
from pathlib import Path

from datamodules._base import CharacterDataModule, DatasetInfo, DataSettings, Splits, cut_validation
from datamodules._errors import DataError
from datamodules._gb2312 import LEVEL1
from datamodules._hwdb import read_characters

SOURCE = "C.-L. Liu et al., CASIA Online and Offline Chinese Handwriting Databases, ICDAR 2011"
LICENCE = "free for academic research on application to CASIA; no redistribution"
SYNTHETIC = False
# HWDB1.1's writers are 1001 to 1300; the official test part is the last 60.
TEST_WRITERS = range(1241, 1301)


class CasiaHWDB(CharacterDataModule):
    """HWDB1.1 from a folder of .gnt files, one writer a file; other symbols are dropped.

    Args:
        data_root: a folder that holds the files, at any depth. Below folders whose names hold ``trn`` or ``train``
            lies the training part, below ``tst`` or ``test`` the test part; elsewhere the writer's number decides.
        batch_size, workers, seed: see CharacterDataModule.

    Raises:
        DataError: no such folder, a part without files, a damaged file.
    """

    def __init__(self, data_root: Path, batch_size: int = 64, workers: int = 0, seed: int = 0) -> None:
        super().__init__(batch_size, workers, seed)
        self.data_root = Path(data_root)

    def load(self) -> Splits:
        """Read every file once; the label space is that of the protocol, all of GB2312 level 1."""
        files = sorted(self.data_root.rglob("*.gnt")) if self.data_root.is_dir() else []
        if not files:
            raise DataError(self.data_root, 0, "a folder of .gnt files", "none there", "Unpack the archives first.")
        parts: dict[str, list[Path]] = {"train": [], "test": []}
        for file in files:
            parts[_part(file.relative_to(self.data_root))].append(file)
        for part, members in parts.items():
            if not members:
                raise DataError(self.data_root, 0, f".gnt files of the {part} part", "none")
        train = read_characters(parts["train"], LEVEL1)
        test = read_characters(parts["test"], LEVEL1)
        rest, val = cut_validation(train)
        return Splits(LEVEL1, rest, val, test)

    def describe(self, splits: Splits) -> DatasetInfo:
        """Facts for records and boards."""
        sizes = {"train": len(splits.train), "val": len(splits.val), "test": len(splits.test)}
        return DatasetInfo("casia_hwdb", len(splits.labels), sizes, SOURCE, LICENCE, SYNTHETIC)


def build(settings: DataSettings) -> CasiaHWDB:
    """The datamodule for a suite.

    Raises:
        DataError: without a data root.
    """
    if settings.data_root is None:
        raise DataError("--data-root", 0, "the folder of HWDB1.1's .gnt files", "nothing")
    return CasiaHWDB(settings.data_root)


def _part(file: Path) -> str:
    folders = "/".join(file.parts[:-1]).lower()
    if re.search("trn|train", folders or file.name.lower()):
        return "train"
    if re.search("tst|test", folders or file.name.lower()):
        return "test"
    number = re.match(r"\d+", file.stem)
    return "test" if number and int(number.group()) in TEST_WRITERS else "train"
