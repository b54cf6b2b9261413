"""One slice made ready, and the quarter of a class that is set aside, by hand."""

import numpy as np
import pytest

from datamodules.readers.shui_slices import normalise, quarter


@pytest.mark.parametrize(("count", "test"), [(4, 1), (7, 1), (8, 2), (125, 31)])
def test_three_quarters_train(count: int, test: int) -> None:
    assert quarter([0] * count).sum() == test


def test_a_classs_split_does_not_depend_on_other_classes() -> None:
    alone = quarter([0] * 9)
    among = quarter([0] * 5 + [1] * 9 + [2] * 4)
    assert (alone == among[5:14]).all()


def test_a_square_slice_keeps_four_blank_pixels_around_and_becomes_black_and_white() -> None:
    # 44 pixels inside the border of 4: each pixel of a 2 × 2 slice covers 22 × 22.
    found = normalise(np.array([[10, 200], [190, 40]], np.uint8))
    wanted = np.full((52, 52), 255, np.uint8)
    # Enlargement is bilinear: check the middles of the four quarters, and that nothing but two levels is left.
    assert found.shape == (52, 52)
    assert set(np.unique(found)) == {0, 255}
    assert (found[10, 10], found[10, 40], found[40, 10], found[40, 40]) == (0, 255, 255, 0)
    wanted[4:48, 4:48] = found[4:48, 4:48]
    assert (found == wanted).all()


def test_pixels_at_size_are_cut_at_otsus_threshold() -> None:
    # 44 × 44 needs no scaling. Levels 60 (ink), 170 and 180 (yellowed paper): Otsu parts 60 from the others, though
    # the border is 255.
    image = np.full((44, 44), 170, np.uint8)
    image[:, ::2] = 180
    image[20:24, 5:40] = 60
    wanted = np.full((52, 52), 255, np.uint8)
    wanted[24:28, 9:44] = 0
    assert (normalise(image) == wanted).all()
    assert (normalise(np.repeat(image[..., None], 3, 2)) == wanted).all()


def test_a_flat_slice_is_centred() -> None:
    # 22 × 88 shrinks by half, to 11 × 44: rows (52 - 11) // 2 = 20 to 30. Its halves become columns 4-25 and 26-47.
    image = np.full((22, 88), 250, np.uint8)
    image[:, :44] = 30
    wanted = np.full((52, 52), 255, np.uint8)
    wanted[20:31, 4:26] = 0
    assert (normalise(image) == wanted).all()


def test_large_slices_are_averaged_before_they_are_cut() -> None:
    # 88 × 88 halves: blocks of four pixels, three of them ink (mean 63) or one (mean 191); Otsu parts the two.
    block = np.array([[0, 0], [0, 255]], np.uint8)
    image = np.tile(np.hstack([block, 255 - block]), (44, 22))
    inner = normalise(image)[4:48, 4:48]
    assert (inner[:, ::2] == 0).all()
    assert (inner[:, 1::2] == 255).all()


def test_a_bar_that_was_cut_out_tightly_is_ink() -> None:
    bar = np.random.default_rng(0).integers(20, 100, (4, 44), dtype=np.uint8)
    wanted = np.full((52, 52), 255, np.uint8)
    wanted[24:28, 4:48] = 0
    assert (normalise(bar) == wanted).all()


@pytest.mark.parametrize("level", [128, 255])
def test_a_slice_without_ink_is_refused(level: int) -> None:
    with pytest.raises(ValueError, match=f"no ink: grey level {level} throughout"):
        normalise(np.full((9, 7), level, np.uint8))
