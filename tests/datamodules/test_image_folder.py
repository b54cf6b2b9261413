"""Image folders and zips as users hold them, and every way in which they can be wrong."""

import io
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fake.image_folder import png, write_folder, write_zip
from PIL import Image

from datamodules._base import DataSettings
from datamodules._errors import DataError
from datamodules.image_folder import ImageFolder, build
from datamodules.readers.decode import decode_image


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "strokes")


def test_every_image_is_read_at_its_native_size(folder: Path) -> None:
    data = ImageFolder(folder)
    assert data.labels == ("bar", "post")
    assert data.info.sizes == {"train": 8, "val": 4, "test": 6}
    assert (data.info.name, data.info.synthetic) == ("strokes", False)
    files = sorted((folder / "test").rglob("*.png"))
    for index, file in enumerate(files):
        assert (data.test.image(index) == np.asarray(Image.open(file))).all()
        assert data.labels[data.test.labels[index]] == file.parent.name


@pytest.mark.parametrize("inner", ["", "outer", "outer/deeper"])
def test_folder_and_zip_are_the_same_data(folder: Path, tmp_path: Path, inner: str) -> None:
    zipped = write_zip(folder, tmp_path / "strokes.zip", inner)
    assert ImageFolder(zipped).fingerprint == ImageFolder(folder).fingerprint
    assert ImageFolder(zipped).info.name == "strokes"
    moved = tmp_path / "moved" / inner
    shutil.copytree(folder, moved, dirs_exist_ok=True)
    assert ImageFolder(tmp_path / "moved").fingerprint == ImageFolder(folder).fingerprint


def test_grey_colour_and_transparent_images_of_the_same_ink_are_equal() -> None:
    ink = np.random.default_rng(0).integers(0, 256, (9, 7), dtype=np.uint8)
    for mode in ("L", "RGB", "RGBA"):
        assert (decode_image(png(ink, mode), "x.png") == ink).all()


def test_transparency_becomes_white_paper() -> None:
    pixels = np.array([[[10, 20, 30, 0], [10, 20, 30, 255], [0, 0, 0, 51]]], np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    # 51 of 255 is a fifth of black on white: 204.
    assert decode_image(buffer.getvalue(), "x").tolist() == [[[255, 255, 255], [10, 20, 30], [204, 204, 204]]]


def test_one_colour_image_makes_the_whole_set_colour(folder: Path) -> None:
    colour = np.zeros((5, 5, 3), np.uint8)
    colour[..., 0] = 200
    Image.fromarray(colour).save(folder / "test" / "bar" / "zz.png")
    data = ImageFolder(folder)
    assert data.test.channels == 3
    assert (data.test.image(3) == colour).all()
    assert data.train.channels == 1  # each part as it is; batches convert


def test_sixteen_bit_greys_are_scaled_not_cut_off() -> None:
    buffer = io.BytesIO()
    Image.fromarray(np.array([[0, 257 * 100, 65535]], np.uint16)).save(buffer, "PNG")
    assert decode_image(buffer.getvalue(), "x.png").tolist() == [[0, 100, 255]]


def test_what_file_managers_leave_is_not_data(folder: Path, tmp_path: Path) -> None:
    wanted = ImageFolder(folder).fingerprint
    (folder / "train" / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    (folder / "train" / "bar" / "._000.png").write_bytes(b"\0\5\26\7")
    (folder / "train" / "README").write_text("notes")
    (folder / "train" / "bar" / "Thumbs.db").write_bytes(b"x")
    (folder / "test" / ".ipynb_checkpoints").mkdir()
    assert ImageFolder(folder).fingerprint == wanted
    zipped = write_zip(folder, tmp_path / "strokes.zip")
    with zipfile.ZipFile(zipped, "a") as archive:
        archive.writestr("__MACOSX/train/bar/._000.png", b"x")
    assert ImageFolder(zipped).fingerprint == wanted


def test_class_names_may_hold_dots_and_characters(tmp_path: Path) -> None:
    data = ImageFolder(write_folder(tmp_path / "own", classes=("v1.0", "永")))
    assert data.labels == ("v1.0", "永")


def cut(file: Path, share: float = 0.6) -> None:
    file.write_bytes(file.read_bytes()[: int(file.stat().st_size * share)])


def is_text(root: Path) -> None:
    (root / "train" / "bar" / "002.png").write_text("no image at all")


def is_cut(root: Path) -> None:
    cut(root / "test" / "post" / "001.png")


def is_empty_file(root: Path) -> None:
    (root / "train" / "bar" / "002.png").write_bytes(b"")


def is_empty_class(root: Path) -> None:
    (root / "train" / "v2.0").mkdir()
    (root / "test" / "v2.0").mkdir()


def is_one_sided(root: Path) -> None:
    shutil.copytree(root / "train" / "bar", root / "train" / "extra")


def is_without_test(root: Path) -> None:
    shutil.rmtree(root / "test")


def is_a_page(root: Path) -> None:
    Image.new("L", (5000, 3)).save(root / "train" / "bar" / "002.png")


@pytest.mark.parametrize(
    ("damage", "file", "says"),
    [
        (is_text, "train/bar/002.png", "wanted an image, got 15 bytes that are no image"),
        (is_empty_file, "train/bar/002.png", "got 0 bytes that are no image"),
        (is_cut, "test/post/001.png", "wanted a whole image"),
        (is_empty_class, "train/v2.0", "an empty class"),
        (is_one_sided, "", "only on one side: extra"),
        (is_without_test, "", "wanted a folder test/CLASS with images"),
        (is_a_page, "train/bar/002.png", "at most 4,096 pixels a side"),
    ],
)
def test_bad_folders_say_what_is_wrong_where(
    folder: Path, damage: Callable[[Path], None], file: str, says: str
) -> None:
    damage(folder)
    with pytest.raises(DataError) as caught:
        ImageFolder(folder).setup()
    assert Path(caught.value.file) == folder / file
    assert says in str(caught.value)
    assert str(caught.value).startswith(f"{folder / file}: byte {caught.value.offset}: ")


def test_a_cut_image_is_located_where_its_bytes_end(folder: Path) -> None:
    is_cut(folder)
    with pytest.raises(DataError) as caught:
        ImageFolder(folder).setup()
    assert caught.value.offset == (folder / "test" / "post" / "001.png").stat().st_size


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: None, "nothing there"),
        (lambda path: path.write_bytes(b"PK\x03\x04 half a download"), "wanted a zip archive or a folder"),
        (lambda path: path.write_bytes(b""), "wanted a zip archive or a folder"),
        (lambda path: path.mkdir(), "wanted a folder train/CLASS with images"),
    ],
)
def test_what_is_no_folder_and_no_zip(tmp_path: Path, make: Callable[[Path], object], says: str) -> None:
    root = tmp_path / "data.zip"
    make(root)
    with pytest.raises(DataError, match=says) as caught:
        ImageFolder(root).setup()
    assert caught.value.file == str(root)
    assert "Expected layout" in caught.value.advice


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_damaged_member_of_a_zip_is_located_by_its_header(folder: Path, tmp_path: Path, method: int) -> None:
    root = tmp_path / "strokes.zip"
    with zipfile.ZipFile(root, "w", method) as archive:
        for path in sorted(folder.rglob("*.png")):
            archive.write(path, path.relative_to(folder))
        start = archive.getinfo("train/post/001.png").header_offset
    content = bytearray(root.read_bytes())
    body = start + 30 + len("train/post/001.png")  # a local header has 30 bytes and the name
    content[body : body + 12] = bytes(b ^ 0xFF for b in content[body : body + 12])
    root.write_bytes(content)
    with pytest.raises(DataError) as caught:
        ImageFolder(root).setup()
    assert caught.value.file == f"{root}/train/post/001.png"
    assert caught.value.offset == start


def test_a_data_root_is_needed() -> None:
    with pytest.raises(DataError, match="--data-root"):
        build(DataSettings())


@pytest.mark.realdata
def test_real_handwriting(shared: Path) -> None:
    data = build(DataSettings(shared / "data" / "hwdb100" / "hwdb100.zip"))
    assert data.info.name == "hwdb100"
    assert (data.info.classes, sum(data.info.sizes.values()), data.info.sizes["test"]) == (100, 10_000, 3_000)
    sides = np.concatenate([data.train.heights, data.train.widths])
    assert 20 <= sides.min() < sides.max() <= 210
    assert all(data.train.image(i).max() == 255 for i in range(0, 6000, 100))  # paper is white
