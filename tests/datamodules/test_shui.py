"""Shui slices: how users hold them, every way in which they can be wrong, and the embedded synthetic ones."""

import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from fake.image_folder import write_folder, write_zip
from fake.shui import write_slices
from PIL import Image

from datamodules import shui
from datamodules._base import DataSettings
from datamodules._errors import DataError
from datamodules.readers.shui_slices import normalise, quarter
from datamodules.shui import ShuiSlices, SyntheticShui, build
from datamodules.synthetic.pictographs import pictographs


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_slices(tmp_path / "pages")


def test_a_quarter_of_each_class_is_for_the_test(folder: Path) -> None:
    data = build(DataSettings(folder))
    assert data.labels == ("ladder", "sun", "水")
    # 8, 5 and 4 slices: 2, 1 and 1 for the test; validation takes a third of the remaining 13, class by class:
    # 4.33 wanted of 13, so ceil(6 / 3) = 2, ceil(4 * 4 / 13) = 2, ceil(3 * 4 / 13) = 1.
    assert np.bincount(data.test.labels).tolist() == [2, 1, 1]
    assert np.bincount(data.val.labels).tolist() == [2, 2, 1]
    assert np.bincount(data.train.labels).tolist() == [4, 2, 2]
    assert (data.info.name, data.info.synthetic, data.info.note) == ("pages", False, "")


def test_no_slice_is_lost_or_in_two_parts(folder: Path) -> None:
    data = ShuiSlices(folder)
    parts = [[part.image(i).tobytes() for i in range(len(part))] for part in (data.train, data.val, data.test)]
    together = [image for part in parts for image in part]
    files = [normalise(decoded(path)).tobytes() for path in folder.rglob("*.png")]
    assert sorted(together) == sorted(files)


def decoded(path: Path) -> np.ndarray:
    with Image.open(path) as opened:
        paper = Image.new("RGBA", opened.size, "white")
        return np.asarray(Image.alpha_composite(paper, opened.convert("RGBA")).convert("L"))


def test_the_split_is_the_same_for_every_seed_and_differs_from_the_order_of_names(folder: Path) -> None:
    assert ShuiSlices(folder, seed=5).fingerprint == ShuiSlices(folder).fingerprint
    assert np.flatnonzero(quarter([0] * 100)).tolist() not in (list(range(25)), list(range(75, 100)))


@pytest.mark.parametrize("inner", ["", "outer", "outer/deeper"])
def test_folder_and_zip_are_the_same_data(folder: Path, tmp_path: Path, inner: str) -> None:
    zipped = write_zip(folder, tmp_path / "pages.zip", inner)
    assert ShuiSlices(zipped).fingerprint == ShuiSlices(folder).fingerprint
    assert ShuiSlices(zipped).info.name == "pages"
    moved = tmp_path / "moved" / inner
    shutil.copytree(folder, moved, dirs_exist_ok=True)
    assert ShuiSlices(tmp_path / "moved").fingerprint == ShuiSlices(folder).fingerprint


def is_text(root: Path) -> None:
    (root / "sun" / "002.png").write_text("no image at all")


def is_cut(root: Path) -> None:
    file = root / "sun" / "001.png"
    file.write_bytes(file.read_bytes()[:60])


def is_blank(root: Path) -> None:
    Image.new("L", (20, 30), 255).save(root / "sun" / "004.png")


def is_empty_class(root: Path) -> None:
    (root / "v2.0").mkdir()


def is_small_class(root: Path) -> None:
    for number in (0, 1):
        (root / "sun" / f"00{number}.png").unlink()


def is_beside(root: Path) -> None:
    shutil.copy(root / "sun" / "000.png", root / "stray.png")


def is_one_class(root: Path) -> None:
    for name in ("sun", "水"):
        shutil.rmtree(root / name)


def is_of_images_alone(root: Path) -> None:
    for path in sorted(root.rglob("*.png")):
        path.rename(root / f"{path.parent.name}-{path.name}")
    for path in sorted(root.iterdir()):
        if path.is_dir():
            path.rmdir()


def is_empty(root: Path) -> None:
    shutil.rmtree(root)
    root.mkdir()


def is_missing(root: Path) -> None:
    shutil.rmtree(root)


@pytest.mark.parametrize(
    ("damage", "file", "says"),
    [
        (is_text, "sun/002.png", "wanted an image, got 15 bytes that are no image"),
        (is_cut, "sun/001.png", "wanted a whole image"),
        (is_blank, "sun/004.png", "wanted a character in dark ink on light paper, got no ink"),
        (is_empty_class, "v2.0", "wanted at least 4 images, to leave a quarter for the test, got an empty class"),
        (is_small_class, "sun", "to leave a quarter for the test, got 3"),
        (is_beside, "stray.png", "wanted every image in the folder of its class"),
        (is_of_images_alone, "ladder-000.png", "wanted every image in the folder of its class"),
        (is_one_class, "", "wanted at least two folders CLASS with images, got 1"),
        (is_empty, "", "wanted at least two folders CLASS with images, got 0"),
        (is_missing, "", "wanted a folder or zip of labelled slices, got nothing there"),
    ],
)
def test_bad_slices_say_what_is_wrong_where(folder: Path, damage: Callable[[Path], None], file: str, says: str) -> None:
    damage(folder)
    with pytest.raises(DataError) as caught:
        ShuiSlices(folder).setup()
    assert Path(caught.value.file) == folder / file
    assert says in str(caught.value)


def test_a_split_folder_is_pointed_to_the_dataset_that_reads_it(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "split")
    with pytest.raises(DataError, match="got train and test"):
        ShuiSlices(root).setup()


def test_a_zip_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "pages.zip").write_bytes(b"PK\x03\x04 half a download")
    with pytest.raises(DataError, match="wanted a zip archive or a folder"):
        ShuiSlices(tmp_path / "pages.zip").setup()


def test_records_cannot_be_named_after_another_dataset(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Rename it"):
        build(DataSettings(write_slices(tmp_path / "shui")))


def test_notes_beside_the_classes_are_not_data(folder: Path) -> None:
    wanted = ShuiSlices(folder).fingerprint
    (folder / "README.txt").write_text("scanned in spring")
    (folder / ".DS_Store").write_bytes(b"\0")
    (folder / "sun" / "Thumbs.db").write_bytes(b"\0")
    assert ShuiSlices(folder).fingerprint == wanted


@pytest.fixture(scope="module")
def small() -> SyntheticShui:
    data = SyntheticShui(20, (6, 4))
    data.setup()
    return data


def test_the_embedded_slices_are_called_synthetic(small: SyntheticShui) -> None:
    assert (small.info.name, small.info.synthetic, small.info.classes) == ("shui", True, 20)
    assert "synthetic" in small.info.source
    assert "**Synthetic data**" in small.info.note
    assert small.info.sizes == {"train": 120, "val": 260, "test": 80}  # 13 writers give the 256 that latency needs


def test_every_writer_draws_every_sign_once(small: SyntheticShui) -> None:
    for part, writers in ((small.train, 6), (small.val, 13), (small.test, 4)):
        assert np.bincount(part.labels).tolist() == [writers] * 20
        assert np.unique(part.writers, return_counts=True)[1].tolist() == [20] * writers
    parts = (small.train, small.val, small.test)
    assert len(np.unique(np.concatenate([part.writers for part in parts]))) == 6 + 13 + 4
    images = [{part.image(i).tobytes() for i in range(len(part))} for part in parts]
    assert len(set.union(*images)) == sum(map(len, images)) == 460  # no writer is in two parts


def test_slices_are_those_of_the_protocol(small: SyntheticShui) -> None:
    for index in range(len(small.test)):
        image = small.test.image(index)
        assert image.shape == (52, 52)
        assert set(np.unique(image)) == {0, 255}
        assert (image[:4] == 255).all()
        assert (image[:, -4:] == 255).all()
    sign = pictographs()[399]
    assert small.labels[19] == sign.name
    drawn = normalise(shui.draw_pictograph(sign, 200_001, 0))
    assert (small.test.image(19) == drawn).all()


def test_a_second_load_reads_what_the_first_drew(small: SyntheticShui, monkeypatch: pytest.MonkeyPatch) -> None:
    def draw(*arguments: object) -> None:
        raise AssertionError("drawn again")

    monkeypatch.setattr(shui, "draw_pictograph", draw)
    assert SyntheticShui(20, (6, 4), seed=3).fingerprint == small.fingerprint


def test_slices_drawn_anew_are_the_same(small: SyntheticShui, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HCCR_BENCH_CACHE", str(tmp_path))
    assert SyntheticShui(20, (6, 4)).fingerprint == small.fingerprint


def test_a_damaged_cache_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HCCR_BENCH_CACHE", str(tmp_path))
    SyntheticShui(3, (1, 1)).setup()
    file = next(tmp_path.rglob("s0001.npy"))
    file.write_bytes(file.read_bytes()[:400])
    with pytest.raises(DataError, match="Remove it; it will be drawn again") as caught:
        SyntheticShui(3, (1, 1)).setup()
    assert caught.value.file == str(file)


def test_what_the_suite_asks_is_what_comes() -> None:
    data = build(DataSettings(classes=5, writers=(2, 1)))
    assert isinstance(data, SyntheticShui)
    assert (data.classes, len(data.writers["train"])) == (5, 2)
    whole = build(DataSettings())
    assert isinstance(whole, SyntheticShui)
    # shui-ocr: 50,000 slices of 400 classes, 3/4 and 1/4: 37,500 and 12,500.
    assert (whole.classes * len(whole.writers["train"]), whole.classes * len(whole.writers["test"])) == (37_600, 12_400)


@pytest.mark.parametrize(
    ("classes", "writers", "says"),
    [(1, (2, 1), "2 to 400 classes, got 1"), (401, (2, 1), "got 401"), (5, (0, 1), "at least one writer")],
)
def test_what_cannot_be_drawn_is_refused(classes: int, writers: tuple[int, int], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        SyntheticShui(classes, writers)


def test_slices_of_the_scanner_are_read_at_their_own_depth(tmp_path: Path) -> None:
    """What lies deeper than its class still belongs to it."""
    root = write_slices(tmp_path / "pages")
    (root / "sun" / "page 2").mkdir()
    page = np.full((30, 30), 230, np.uint8)
    cv2.line(page, (3, 3), (25, 25), 20, 3)
    Image.fromarray(page).save(root / "sun" / "page 2" / "001.png")
    data = ShuiSlices(root)
    assert np.bincount(np.concatenate([data.train.labels, data.val.labels, data.test.labels])).tolist() == [8, 6, 4]
