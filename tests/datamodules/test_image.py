"""The one geometric routine, against hand-computed pixels and what must hold for any image."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datamodules._image import PAPER, fit_matrix, resample, with_channels


def noise(height: int, width: int, channels: int = 1, seed: int = 0) -> np.ndarray:
    shape = (height, width) if channels == 1 else (height, width, channels)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def about_centre(linear: list[list[float]], size: int) -> np.ndarray:
    """A linear map about the centre of a square that it maps onto itself."""
    matrix = np.array(linear, float)
    centre = np.full(2, size / 2)
    return np.column_stack([matrix, centre - matrix @ centre])


def test_a_native_size_square_comes_back_unchanged() -> None:
    image = noise(64, 64)
    assert (resample(image, fit_matrix(64, 64, 64), 64) == image).all()


def test_halving_takes_the_mean_of_two_by_two_pixels() -> None:
    image = noise(8, 8) // 4 * 4  # means of four multiples of four are whole
    means = image.reshape(4, 2, 4, 2).astype(float).mean((1, 3))
    assert (resample(image, fit_matrix(8, 8, 4), 4) == means).all()


def test_shrinking_sees_every_pixel_where_bilinear_sampling_would_not() -> None:
    image = np.full((64, 64), PAPER, np.uint8)
    image[:, ::8] = 0  # thin strokes that a sample at every eighth centre misses
    small = resample(image, fit_matrix(64, 64, 8), 8)
    assert (np.abs(small.astype(int) - round(255 * 7 / 8)) <= 1).all()


def test_shrinking_along_one_axis_filters_that_axis_alone() -> None:
    image = noise(4, 16, seed=1)
    matrix = np.array([[0.25, 0, 0], [0, 1, 0]])
    out = resample(image, matrix, 4)
    means = image.reshape(4, 4, 4).astype(float).mean(2)
    assert np.abs(out - means).max() <= 0.5


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("side", [12, 13])
def test_mirrors_are_exact(side: int, channels: int) -> None:
    image = noise(side, side, channels)
    assert (resample(image, about_centre([[-1, 0], [0, 1]], side), side) == image[:, ::-1]).all()
    assert (resample(image, about_centre([[1, 0], [0, -1]], side), side) == image[::-1]).all()


@pytest.mark.parametrize("side", [12, 13])
def test_a_quarter_turn_permutes_the_pixels(side: int) -> None:
    image = noise(side, side)
    turned = resample(image, about_centre([[0, -1], [1, 0]], side), side)
    assert (turned == np.rot90(image, -1)).all()


def test_a_whole_pixel_shift_moves_the_image_and_leaves_paper() -> None:
    image = noise(10, 10)
    moved = resample(image, np.array([[1.0, 0, 3], [0, 1, -2]]), 10)
    assert (moved[:8, 3:] == image[2:, :7]).all()
    assert (moved[8:] == PAPER).all()
    assert (moved[:, :3] == PAPER).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_what_the_image_does_not_cover_is_paper(channels: int) -> None:
    ink = np.zeros((20, 20) if channels == 1 else (20, 20, 3), np.uint8)
    angle = math.radians(45)
    turned = resample(
        ink, about_centre([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]], 20), 20
    )
    assert turned.shape == ink.shape
    assert (turned[[0, 0, -1, -1], [0, -1, 0, -1]] == PAPER).all()
    assert (turned[10, 10] == 0).all()


@pytest.mark.parametrize(("height", "width"), [(64, 64), (128, 32), (33, 91), (17, 16), (1, 40), (40, 1), (1, 1)])
@pytest.mark.parametrize("size", [32, 52, 64])
def test_fit_keeps_the_aspect_ratio_and_centres(height: int, width: int, size: int) -> None:
    fitted = resample(np.zeros((height, width), np.uint8), fit_matrix(height, width, size), size) < 128
    rows, columns = np.flatnonzero(fitted.any(1)), np.flatnonzero(fitted.any(0))
    high, wide = rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1
    assert fitted[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()
    assert max(high, wide) == size
    assert abs(high - max(1, height * size / max(height, width))) <= 0.5
    assert abs(wide - max(1, width * size / max(height, width))) <= 0.5
    assert abs(rows[0] - (size - 1 - rows[-1])) <= 1
    assert abs(columns[0] - (size - 1 - columns[-1])) <= 1


def test_margin_stays_blank() -> None:
    out = resample(np.zeros((50, 30), np.uint8), fit_matrix(50, 30, 64, margin=4), 64)
    assert (out[:4] == PAPER).all()
    assert (out[-4:] == PAPER).all()
    assert (out[4:-4, 20:44] == 0).all()


def test_colours_are_resampled_apart() -> None:
    image = noise(40, 28, 3)
    matrix = np.array([[1.3, 0.2, 3], [-0.1, 0.7, 5]])
    whole = resample(image, matrix, 48)
    for channel in range(3):
        assert (whole[..., channel] == resample(np.ascontiguousarray(image[..., channel]), matrix, 48)).all()


def test_enlarging_interpolates_between_pixel_centres() -> None:
    image = np.array([[0, 200]], np.uint8)
    out = resample(image, fit_matrix(1, 2, 8), 8)
    row = out[np.flatnonzero((out != PAPER).any(1))[0]]
    # Centres of the two pixels lie at 2 and 6; outputs at 0.5, 1.5 … are linear between them.
    wanted = np.interp(np.arange(8) + 0.5, [2, 6], [0, 200])
    assert np.abs(row - wanted).max() <= 1


AFFINE = st.tuples(*[st.floats(-3, 3) for _ in range(4)], st.floats(-40, 40), st.floats(-40, 40))


@settings(max_examples=60, deadline=None)
@given(
    AFFINE,
    st.integers(1, 40),
    st.integers(1, 40),
    st.integers(1, 48),
    st.sampled_from([1, 3]),
    st.integers(0, 9),
)
def test_any_map_gives_a_square_between_the_darkest_ink_and_paper(
    entries: tuple[float, ...], height: int, width: int, size: int, channels: int, seed: int
) -> None:
    a, b, c, d, left, top = entries
    matrix = np.array([[a, b, left], [c, d, top]])
    image = noise(height, width, channels, seed) // 2 + 60
    out = resample(image, matrix, size)
    assert out.shape == (size, size, *image.shape[2:])
    assert out.dtype == np.uint8
    assert out.min() >= image.min()
    assert (resample(np.full_like(image, PAPER), matrix, size) == PAPER).all()


def test_grey_becomes_three_equal_channels() -> None:
    image = np.arange(6, dtype=np.uint8).reshape(2, 3)
    colour = with_channels(image, 3)
    assert colour.shape == (2, 3, 3)
    assert (colour == image[..., None]).all()
    assert with_channels(image, 1) is image


def test_colour_becomes_grey_by_luminance() -> None:
    pixels = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255], [7, 7, 7]]], np.uint8)
    # ITU-R BT.601: 0.299 R + 0.587 G + 0.114 B
    assert with_channels(pixels, 1).tolist() == [[76, 150, 29, 255, 7]]
