"""Contact sheets show characters pixel for pixel."""

import cv2
import numpy as np
import pytest

from datamodules.inspection.contact_sheet import GAP, LARGEST_CELL, contact_sheet, write_contact_sheet


def test_images_stand_row_by_row_centred_in_equal_cells() -> None:
    images = [np.full((4, 6), 10, np.uint8), np.full((2, 2), 20, np.uint8), np.full((4, 6), 30, np.uint8)]
    sheet = contact_sheet(images, columns=2)
    assert sheet.shape == (2 * (4 + GAP), 2 * (6 + GAP))
    assert (sheet[2:6, 2:8] == 10).all()
    assert (sheet[3:5, 14:16] == 20).all()
    assert (sheet[10:14, 2:8] == 30).all()
    assert (sheet < 255).sum() == 24 + 4 + 24


def test_one_colour_image_makes_the_sheet_colour_and_the_file_keeps_it(tmp_path) -> None:
    red = np.zeros((5, 5, 3), np.uint8)
    red[..., 0] = 200
    grey = np.full((5, 5), 90, np.uint8)
    write_contact_sheet(tmp_path / "sheet.png", [red, grey])
    back = cv2.imread(str(tmp_path / "sheet.png"))[..., ::-1]
    assert (back[2:7, 2:7] == (200, 0, 0)).all()
    assert (back[2:7, 11:16] == 90).all()


def test_a_page_is_shrunk_to_the_largest_cell() -> None:
    sheet = contact_sheet([np.zeros((1000, 500), np.uint8)])
    assert sheet.shape == (LARGEST_CELL + GAP, LARGEST_CELL // 2 + GAP)


@pytest.mark.parametrize(("images", "columns"), [([], 4), ([np.zeros((3, 3), np.uint8)], 0)])
def test_an_empty_sheet_is_refused(images, columns) -> None:
    with pytest.raises(ValueError, match="at least one"):
        contact_sheet(images, columns)
