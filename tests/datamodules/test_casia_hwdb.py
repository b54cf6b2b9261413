"""HWDB1.1 as users hold it: folders of .gnt files, one writer a file."""

from pathlib import Path

import numpy as np
import pytest
from fake.gnt import record

from datamodules._base import DataSettings
from datamodules._errors import DataError
from datamodules._gb2312 import LEVEL1
from datamodules.casia_hwdb import CasiaHWDB, build


def write(file: Path, text: str, grey: int = 7) -> Path:
    """One writer's file with these characters, 3 × 4 pixels each."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"".join(record(character, 3, 4, grey) for character in text))
    return file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(1001, 1011):
        write(tmp_path / "HWDB1.1trn_gnt" / f"{number}-c.gnt", "啊阿座", number - 1000)
    for number in (1241, 1242):
        write(tmp_path / "HWDB1.1tst_gnt" / f"{number}-c.gnt", "座啊", number - 1200)
    return tmp_path


def test_official_folders(folder: Path) -> None:
    data = build(DataSettings(folder))
    assert data.labels == LEVEL1
    assert data.info.name == "casia_hwdb"
    assert not data.info.synthetic
    assert data.info.sizes == {"train": 18, "val": 12, "test": 4}  # a third of 30 at most, in whole writers
    assert [LEVEL1[label] for label in data.test.labels] == ["座", "啊", "座", "啊"]
    assert data.test.image(2).tolist() == [[42] * 3] * 4


def test_writers_stay_apart(folder: Path) -> None:
    data = build(DataSettings(folder))
    greys = [{int(part.image(i)[0, 0]) for i in range(len(part))} for part in (data.train, data.val, data.test)]
    assert sum(map(len, greys)) == 12  # each writer has a grey of its own
    assert len(set.union(*greys)) == 12


def test_without_part_folders_the_writers_number_decides(tmp_path: Path) -> None:
    for number in (1001, 1240, 1241, 1300):
        write(tmp_path / f"{number}-f.gnt", "啊", number % 200)
    data = CasiaHWDB(tmp_path)
    assert data.info.sizes["test"] == 2
    assert sorted(int(data.test.image(i)[0, 0]) for i in range(2)) == [1241 % 200, 1300 % 200]


@pytest.mark.parametrize(("train", "test"), [("train", "test"), ("Gnt1.1TrainPart1", "Gnt1.1Test"), ("trn", "tst")])
def test_other_names_of_the_parts(tmp_path: Path, train: str, test: str) -> None:
    write(tmp_path / train / "1241.gnt", "啊阿")  # the folder decides, not the number
    write(tmp_path / test / "1001.gnt", "啊")
    sizes = CasiaHWDB(tmp_path).info.sizes
    assert (sizes["train"] + sizes["val"], sizes["test"]) == (2, 1)


def test_symbols_and_rarer_characters_are_dropped(tmp_path: Path) -> None:
    write(tmp_path / "train" / "1.gnt", "啊！丂阿")  # 丂 is GBK, not GB2312 level 1
    write(tmp_path / "test" / "2.gnt", "啊")
    data = CasiaHWDB(tmp_path)
    found = np.concatenate([data.train.labels, data.val.labels])
    assert sorted(LEVEL1[label] for label in found) == ["啊", "阿"]


def test_a_truncated_file_is_named_with_its_byte(folder: Path) -> None:
    file = folder / "HWDB1.1trn_gnt" / "1003-c.gnt"
    file.write_bytes(file.read_bytes()[:-5])
    with pytest.raises(DataError) as caught:
        CasiaHWDB(folder).setup()
    assert caught.value.file == str(file)
    assert caught.value.offset == 2 * (10 + 12)  # the third record is cut
    assert "17 bytes, then the end" in str(caught.value)


@pytest.mark.parametrize("missing", ["HWDB1.1trn_gnt", "HWDB1.1tst_gnt"])
def test_a_missing_part_is_named(folder: Path, missing: str) -> None:
    for file in (folder / missing).iterdir():
        file.unlink()
    with pytest.raises(DataError, match="train" if "trn" in missing else "test"):
        CasiaHWDB(folder).setup()


def test_nothing_there_says_what_to_do(tmp_path: Path) -> None:
    for root in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(DataError, match=r"Unpack the archives first\."):
            CasiaHWDB(root).setup()
    with pytest.raises(DataError, match="--data-root"):
        build(DataSettings())


@pytest.mark.realdata
def test_real_records(shared: Path) -> None:
    data = build(DataSettings(shared / "data" / "gnt"))
    # Six files of the same 21 characters, 16 of them in level 1: four named train, two named test.
    assert sum(data.info.sizes.values()) == 6 * 16
    assert data.info.sizes["test"] == 2 * 16
