"""Synthetic characters to learn from, real .gnt files to be tested on."""

from pathlib import Path

import pytest
from fake.gnt import record, write_files

from datamodules._base import DataSettings
from datamodules._errors import DataError
from datamodules.readers.gb2312 import LEVEL1
from datamodules.synthetic_to_real import SyntheticToReal, build


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("real")
    files = {
        "a.gnt": record("座", 5, 4, 1) + record("阿", 5, 4, 2),
        "below/b.gnt": record("座", 6, 4, 3) + record("〇", 5, 4),
    }
    return write_files(folder, files)


@pytest.fixture(scope="module")
def data(root: Path) -> SyntheticToReal:
    made = SyntheticToReal(root, classes=6, writers=2)
    made.setup()
    return made


def test_the_label_space_holds_what_is_tested_filled_up_from_level_1(data: SyntheticToReal) -> None:
    assert len(data.labels) == 6
    assert {"座", "阿"} < set(data.labels) < set(LEVEL1)
    assert sorted(data.labels, key=LEVEL1.index) == list(data.labels)


def test_the_test_part_is_real_and_nothing_else_is(data: SyntheticToReal) -> None:
    assert [data.labels[label] for label in data.test.labels] == ["座", "阿", "座"]  # 〇 is no level-1 character
    assert [int(data.test.image(i)[0, 0]) for i in range(3)] == [1, 2, 3]
    assert len(data.train) == 6 * 2
    real = {data.test.image(i).tobytes() for i in range(3)}
    for part in (data.train, data.val):
        assert not real & {part.image(i).tobytes() for i in range(len(part))}


def test_its_boards_say_that_learning_was_from_synthetic_characters(data: SyntheticToReal) -> None:
    assert data.info.name == "synthetic_to_real"
    assert data.info.synthetic
    assert "tested on real" in data.info.note


def test_more_tested_characters_than_classes_are_all_kept(root: Path) -> None:
    made = SyntheticToReal(root, classes=1, writers=1)
    made.setup()
    assert set(made.labels) == {"座", "阿"}


def test_no_root_an_empty_one_and_one_without_level_1_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"--data-root.*folder of \.gnt files"):
        build(DataSettings())
    with pytest.raises(DataError, match=r"a folder of \.gnt files, or .*, got 0 test images"):
        build(DataSettings(tmp_path)).setup()
    write_files(tmp_path, {"symbols.gnt": record("〇", 3, 3)})
    with pytest.raises(DataError, match="characters of GB2312 level 1, got none"):
        build(DataSettings(tmp_path)).setup()


def test_a_cut_file_is_named_with_its_byte(tmp_path: Path) -> None:
    write_files(tmp_path, {"cut.gnt": record("座", 5, 4) + record("阿", 5, 4)[:-3]})
    with pytest.raises(DataError, match=r"cut\.gnt: byte 30: wanted a record of 30 bytes, got 27 bytes"):
        build(DataSettings(tmp_path)).setup()


@pytest.mark.realdata
def test_real_tagged_characters_are_96_of_level_1(shared: Path) -> None:
    made = SyntheticToReal(shared / "data" / "gnt", writers=1)
    made.setup()
    assert len(made.labels) == 100
    assert len(made.test) == 96
