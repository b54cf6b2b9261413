"""One character out of a photo: where it is, how dark, and what is none."""

import io
import struct
import zipfile
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from fake.exported import CHARACTERS, glyph
from PIL import Image

from datamodules._errors import DataError
from datamodules.readers.decode import LARGEST_PHOTO, MOST_PIXELS, decode_image, decode_photo
from datamodules.readers.photo import find_character


def framed(image: np.ndarray, top: int, bottom: int, left: int, right: int) -> np.ndarray:
    return cv2.copyMakeBorder(image, top, bottom, left, right, cv2.BORDER_CONSTANT, value=255)


def grid(cells: list[np.ndarray], columns: int) -> np.ndarray:
    """Characters side by side on paper, as on a page."""
    padded = []
    for cell in cells:
        scale = 80 / max(cell.shape)
        cell = cv2.resize(cell, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        spare_h, spare_w = 100 - cell.shape[0], 100 - cell.shape[1]
        padded.append(framed(cell, spare_h // 2, spare_h - spare_h // 2, spare_w // 2, spare_w - spare_w // 2))
    return np.vstack([np.hstack(padded[start : start + columns]) for start in range(0, len(padded), columns)])


@pytest.mark.parametrize("character", CHARACTERS)
def test_a_clean_character_stays_as_it_is(character: str) -> None:
    image = glyph(character)
    found = find_character(image, "x")
    assert found.shape == image.shape
    assert np.abs(found.astype(int) - image).mean() < 4  # grey levels, at the edges of strokes


@pytest.mark.parametrize("character", CHARACTERS)
def test_margins_and_dirt_are_cut_away(character: str) -> None:
    image = framed(glyph(character), 40, 90, 10, 65)
    image[5:7, 5:7] = 0
    found = find_character(image, "x")
    assert np.abs(np.subtract(found.shape, glyph(character).shape)).max() <= 2  # a pixel of paper on each side


@pytest.mark.parametrize("character", CHARACTERS)
@pytest.mark.parametrize("light_ink", [False, True])
def test_paper_becomes_white_and_ink_black(character: str, light_ink: bool) -> None:
    image = framed(glyph(character), 20, 20, 20, 20)
    height, width = image.shape
    light = np.linspace(0.4, 1, height)[:, None] * np.linspace(0.7, 1, width)
    grey = (40 + image * (190 / 255)) * light + np.random.default_rng(0).normal(0, 2, image.shape)
    grey = grey.clip(0, 255).astype(np.uint8)
    found = find_character(255 - grey if light_ink else grey, "x")
    wanted = glyph(character)
    assert np.abs(np.subtract(found.shape, wanted.shape)).max() <= 4
    fitted = cv2.resize(found, wanted.shape[::-1], interpolation=cv2.INTER_AREA)
    assert np.median(fitted[wanted == 255]) > 250
    assert np.median(fitted[wanted == 0]) < 40


@pytest.mark.parametrize(
    "image",
    [
        np.full((50, 50), 255, np.uint8),
        np.zeros((50, 50), np.uint8),
        np.full((1, 1), 7, np.uint8),
        np.linspace(60, 250, 90).astype(np.uint8) * np.ones((70, 1), np.uint8),
        np.random.default_rng(0).normal(200, 10, (90, 90)).clip(0, 255).astype(np.uint8),
    ],
    ids=["white", "black", "a pixel", "falling light", "noise"],
)
def test_paper_without_ink_is_blank(image: np.ndarray) -> None:
    with pytest.raises(DataError, match="x: byte 0: wanted one character, got a blank image"):
        find_character(image, "x")


@pytest.mark.parametrize(("count", "columns"), [(3, 3), (6, 6), (4, 2), (9, 3), (25, 5), (6, 1), (300, 15)])
def test_several_characters_are_refused(count: int, columns: int) -> None:
    cells = [glyph(CHARACTERS[place % 2], 80) for place in range(count)]
    with pytest.raises(DataError, match=r"wanted one character, got (a page|a line|\d+ rows)"):
        find_character(grid(cells, columns), "x")


@pytest.mark.realdata
def test_real_characters_pass_and_real_rows_do_not(shared: Path) -> None:
    with zipfile.ZipFile(shared / "data" / "hwdb100" / "hwdb100.zip") as archive:
        names = [name for name in sorted(archive.namelist()) if name.startswith("train/") and name.endswith(".png")]
        decoded = [decode_photo(archive.read(name), name) for name in names[::7]]
    images = [image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in decoded]
    refused = 0
    for image in images:
        try:
            found = find_character(image, "x")
            assert (found > 128).mean() == pytest.approx(
                (image > 128).mean(), abs=0.25
            )  # not inverted; some have margins
        except DataError:
            refused += 1
    assert refused <= len(images) / 500
    starts = range(0, len(images) - 9, 40)
    passed = 0
    for start in starts:
        try:
            find_character(grid(images[start : start + 9], 3), "x")
            passed += 1
        except DataError:
            pass
    assert passed <= len(starts) / 20  # where characters touch, rows and columns have no gaps


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def test_photos_are_turned_upright_and_shrunk() -> None:
    image = Image.fromarray(np.repeat(np.linspace(0, 255, 3000).astype(np.uint8)[None], 2000, 0))
    turned = Image.Exif()
    turned[0x0112] = 6  # orientation: the camera was turned a quarter
    found = decode_photo(encoded(image, "JPEG", exif=turned), "x.jpg")
    assert found.shape == (1024, 683)
    assert (np.diff(found[:, 300].astype(int)) >= -3).all()  # what was left is now above


def test_light_ink_on_nothing_keeps_its_paper_dark() -> None:
    alpha = glyph("永")
    pixels = np.dstack([np.full((*alpha.shape, 3), 255, np.uint8), 255 - alpha])
    content = encoded(Image.fromarray(pixels), "PNG")
    assert (decode_photo(content, "x") == 255 - alpha).all()
    assert (decode_image(content, "x") == 255).all()  # training data have white paper, always


def claiming(width: int, height: int) -> bytes:
    """A PNG whose header says that it is so large; its pixels are few."""
    content = encoded(Image.new("L", (8, 8)), "PNG")
    header = b"IHDR" + struct.pack(">II", width, height) + content[24:29]
    return content[:12] + header + struct.pack(">I", zlib.crc32(header)) + content[33:]


@pytest.mark.parametrize("size", [(14000, 14000), (16384, 16384), (20000, 20000), (60000, 60000), (17000, 10)])
def test_photos_that_are_too_large_are_refused_with_the_limit(size: tuple[int, int]) -> None:
    wanted = f"a photo of at most {LARGEST_PHOTO:,} pixels a side and {MOST_PIXELS:,} pixels in all, got "
    with pytest.raises(DataError) as caught:
        decode_photo(claiming(*size), "x.png")
    assert str(caught.value).startswith(f"x.png: byte 0: wanted {wanted}")
    assert str(caught.value).endswith("Make it smaller, or cut out the character.")
    assert "bomb" not in str(caught.value)
    with pytest.raises(DataError, match=r"wanted a character of at most 4,096 pixels a side, got .*Make it smaller\.$"):
        decode_image(claiming(*size), "x.png")


def test_a_large_photo_is_decoded_without_a_warning() -> None:
    """108 million pixels, from which on Pillow warns by itself; warnings are errors here."""
    with pytest.raises(DataError, match="wanted a whole image"):  # its pixels are asked for, and are not there
        decode_photo(claiming(12000, 9000), "x.png")
