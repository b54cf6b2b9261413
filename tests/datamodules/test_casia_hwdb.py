"""HWDB1.1 as users hold it: official archives, unpacked folders, loose files, images by character."""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from fake.alz import Packed, alz
from fake.gnt import part, record, symbol, write_files, write_zip, write_zips
from fake.image_folder import png

from datamodules._base import DataSettings
from datamodules._casia import HandwritingDatabase, differences
from datamodules._errors import DataError
from datamodules.cache.prepared import Prepared
from datamodules.casia_hwdb import PROTOCOL, build
from datamodules.readers.gb2312 import LEVEL1

TRAIN, TEST = "HWDB1.1trn_gnt", "HWDB1.1tst_gnt"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HCCR_BENCH_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The unpacked official folders."""
    write_files(tmp_path / "data" / TRAIN, part(TRAIN))
    write_files(tmp_path / "data" / TEST, part(TEST))
    return tmp_path / "data"


def holding(train: int, test: int, bad: int = 0, members: Sequence[str] = ()) -> Prepared:
    """A cache's description alone."""
    files = [{"role": role, "count": count, "bad": bad} for role, count in (("train", train), ("test", test))]
    return Prepared(Path("nowhere"), {"files": files, "bad_members": list(members)})


def opened(root: Path) -> HandwritingDatabase:
    return build(DataSettings(root))


def greys(data: HandwritingDatabase) -> list[set[int]]:
    return [{int(part.image(i)[0, 0]) for i in range(len(part))} for part in (data.train, data.val, data.test)]


def test_official_folders(root: Path) -> None:
    data = opened(root)
    assert data.labels == LEVEL1
    assert (data.info.name, data.info.synthetic) == ("casia_hwdb", False)
    assert data.info.sizes == {"train": 9, "val": 6, "test": 6}  # a third of 15 at most, in whole writers
    assert [LEVEL1[label] for label in data.test.labels] == ["啊", "阿", "座"] * 2
    assert data.test.image(4).tolist() == [[41] * 4] * 4
    assert data.test.writers.tolist() == [1241] * 3 + [1242] * 3
    assert "Holds 15 train characters; 897,758 are published." in data.info.note
    assert "Holds 6 test characters; 223,991 are published." in data.info.note


def test_writers_stay_apart(root: Path) -> None:
    data = opened(root)
    parts = greys(data)
    assert sum(map(len, parts)) == 7  # each writer has a grey of its own
    assert len(set.union(*parts)) == 7
    writers = [set(one.writers.tolist()) for one in (data.train, data.val, data.test)]
    assert set.union(*writers) == {1001, 1002, 1003, 1004, 1240, 1241, 1242}
    assert sum(map(len, writers)) == 7


def layouts(place: Path, layout: str) -> Path:
    """The same records in each form that users hold."""
    for name in (TRAIN, TEST):
        if layout == "zips":
            write_zips(place, [name])
        elif layout == "zips in capitals":
            write_zip(place / f"{name}.zip".upper(), part(name))
        elif layout == "folder in the zip":
            write_zip(place / f"{name}.zip", part(name), folder=name)
        elif layout == "nested once":
            write_files(place / name / name, part(name))
        elif layout == "the newer download page":
            write_zip(place / {TRAIN: "Gnt1.1TrainPart1.zip", TEST: "Gnt1.1Test.zip"}[name], part(name))
        elif layout == "an .alz in the zip":
            packed = alz(*(Packed(f"{name}\\{file}", content) for file, content in part(name).items()))
            write_zip(place / f"{name}.zip", {f"{name}.alz": packed, "readme.txt": b"not handwriting"})
        elif layout == "alz":
            write_files(place, {f"{name}.alz": alz(*(Packed(file, content) for file, content in part(name).items()))})
        elif layout == "loose":
            write_files(place, part(name))
        elif layout == "train and test":
            write_files(place / {TRAIN: "train", TEST: "test"}[name], part(name))
    if layout == "one zip":
        members = {f"{name}/{file}": content for name in (TRAIN, TEST) for file, content in part(name).items()}
        return write_zip(place / "all.zip", members)
    return place


@pytest.mark.parametrize(
    "layout",
    ["zips", "zips in capitals", "folder in the zip", "an .alz in the zip", "alz", "nested once",
     "the newer download page", "loose", "train and test", "one zip"],
)  # fmt: skip
def test_every_layout_gives_the_same_data(root: Path, tmp_path: Path, layout: str) -> None:
    data, wanted = opened(layouts(tmp_path / "other", layout)), opened(root)
    assert data.fingerprint == wanted.fingerprint
    for mine, theirs in ((data.train, wanted.train), (data.val, wanted.val), (data.test, wanted.test)):
        assert [mine.image(i).tobytes() for i in range(len(mine))] == [
            theirs.image(i).tobytes() for i in range(len(theirs))
        ]
        assert mine.writers.tolist() == theirs.writers.tolist()


def test_the_fingerprint_follows_the_pixels(root: Path) -> None:
    wanted = opened(root).fingerprint
    file = root / TRAIN / "1001-c.gnt"
    file.write_bytes(file.read_bytes()[:-1] + b"\x99")
    assert opened(root).fingerprint != wanted


def test_a_part_in_two_forms_is_read_once(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_zips(root, [TRAIN])
    write_files(root / "notes", {"1005-c.gnt": record("啊", 2, 2)})  # beside official parts: of none
    with caplog.at_level(logging.INFO, "datamodules"):
        assert len(opened(root).train) + len(opened(root).val) == 15
    assert "not read: HWDB1.1trn as gnt, because it is read as archive" in caplog.text
    assert "not read: 1 files of the train part outside folders of official names" in caplog.text


def test_images_by_character(tmp_path: Path) -> None:
    dark, light = np.full((5, 4), 10, np.uint8), np.full((6, 7), 200, np.uint8)
    for name, image in {
        "HWDB1.1trn/啊/1.png": dark, "HWDB1.1trn/啊/2.png": light, "HWDB1.1trn/00001/1.png": light,
        "HWDB1.1trn/丂/1.png": light, "HWDB1.1tst/3754/x.png": dark,
    }.items():  # fmt: skip
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / name).write_bytes(png(image, "L"))
    data = opened(tmp_path / "data")
    found = np.concatenate([data.train.labels, data.val.labels])
    assert sorted(LEVEL1[label] for label in found) == sorted(["啊", "啊", LEVEL1[1]])
    assert [LEVEL1[label] for label in data.test.labels] == ["座"]
    assert np.array_equal(data.test.image(0), dark)
    assert data.prepare().count("dropped") == 1
    assert (data.train.writers == -1).all()


def test_symbols_and_rarer_characters_are_dropped_and_counted(root: Path) -> None:
    content = record("啊", 3, 2) + symbol(ord("A")) + record("！", 2, 2) + record("丂", 2, 2)
    (root / TRAIN / "1001-c.gnt").write_bytes(content)  # 丂 is GBK, not GB2312 level 1
    data = opened(root)
    assert len(data.train) + len(data.val) == 13
    assert data.prepare().count("dropped") == 3
    assert data.prepare().count("dropped", "test") == 0


def test_a_truncated_file_is_named_with_its_byte(root: Path) -> None:
    file = root / TRAIN / "1003-c.gnt"
    file.write_bytes(file.read_bytes()[:-5])
    with pytest.raises(DataError) as caught:
        opened(root).setup()
    assert caught.value.file == f"{TRAIN}/1003-c.gnt"
    assert caught.value.offset == 2 * (10 + 20)  # 5 × 4 pixels each; the third record is cut
    assert "25 bytes, then the end" in str(caught.value)


@pytest.mark.parametrize("missing", [TRAIN, TEST])
def test_a_missing_part_is_named_with_its_official_file(root: Path, missing: str) -> None:
    for file in (root / missing).iterdir():
        file.unlink()
    with pytest.raises(DataError, match=rf"{missing}\.zip.*a folder that holds {TRAIN}, {TEST}.*NLPR"):
        opened(root).setup()


def test_a_part_without_known_characters_is_named(root: Path) -> None:
    for file in (root / TEST).iterdir():
        file.write_bytes(record("丂", 2, 2))
    with pytest.raises(DataError, match="wanted characters of the test part, got none in the label space"):
        opened(root).setup()


def test_nothing_there_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"HWDB1\.1trn_gnt\.zip.*a folder that holds nothing"):
        opened(tmp_path / "empty").setup()
    with pytest.raises(DataError, match="got nothing there"):
        opened(tmp_path / "nowhere").setup()
    with pytest.raises(DataError, match="--data-root"):
        build(DataSettings())


@pytest.mark.parametrize(("train", "test", "says"), [(897_758, 223_991, 0), (897_757, 223_991, 1), (1, 2, 2)])
def test_differences_from_the_published_sizes(train: int, test: int, says: int) -> None:
    assert len(differences(PROTOCOL, holding(train, test))) == says


def test_bad_records_and_members_are_among_the_differences() -> None:
    found = differences(PROTOCOL, holding(897_758, 223_991, bad=2, members=["cut.zip: byte 9: wanted ..."]))
    assert found == ["4 bad records were left out.", "1 bad members of archives were left out."]


@pytest.mark.realdata
def test_real_records(shared: Path) -> None:
    data = build(DataSettings(shared / "data" / "gnt"))
    # Six files of the same 21 characters, 16 of them in level 1: four named train, two named test.
    assert sum(data.info.sizes.values()) == 6 * 16
    assert data.info.sizes["test"] == 2 * 16
    assert data.prepare().count("dropped") == 6 * 5
