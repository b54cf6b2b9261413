"""Real characters to test on: .gnt files, or images in folders that name their character."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from fake.gnt import record, write_files

from datamodules._errors import DataError
from datamodules.readers.gb2312 import LEVEL1
from datamodules.readers.real_characters import CLASS_CHARACTERS, class_character, read_real_characters


def images(root: Path, *folders: str) -> Path:
    for number, folder in enumerate(folders):
        (root / folder).mkdir(parents=True)
        cv2.imwrite(str(root / folder / "x.png"), np.full((4, 5), 10 * number, np.uint8))
    return root


def test_images_of_the_test_part_have_the_name_of_their_folder(tmp_path: Path) -> None:
    found = read_real_characters(images(tmp_path / "own", "train/座", "test/阿", "test/宕", "test/notes"))
    assert sorted(zip(found.characters, [int(one[0, 0]) for one in found.images], strict=True)) == [
        ("宕", 20),
        ("阿", 10),
    ]
    labelled = found.labelled(["座", "阿"])
    assert (labelled.labels.tolist(), int(labelled.image(0)[0, 0])) == ([1], 10)
    assert int(found.outside(["座", "阿"]).image(0)[0, 0]) == 20


def test_records_of_gnt_files_have_the_character_of_their_tag(tmp_path: Path) -> None:
    write_files(tmp_path, {"a.gnt": record("座", 5, 4, 1) + record("〇", 5, 4, 2)})
    found = read_real_characters(tmp_path)
    assert list(found.characters) == ["座", "〇"]
    assert len(found.outside(LEVEL1)) == 1


def test_numbered_folders_of_a_known_data_set_are_named(tmp_path: Path) -> None:
    found = read_real_characters(images(tmp_path / "hwdb100", "test/000", "test/099", "test/100"))
    assert sorted(found.characters) == ["宪", "度"]
    assert class_character("other", "000") is None
    assert class_character("other", "字") == "字"
    assert len(CLASS_CHARACTERS["hwdb100"]) == len(set(CLASS_CHARACTERS["hwdb100"])) == 100


def test_nothing_that_names_a_character_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="got 1 test images, none in a folder that names a character"):
        read_real_characters(images(tmp_path / "own", "test/000"))
    with pytest.raises(DataError, match="got nothing there"):
        read_real_characters(tmp_path / "none")
