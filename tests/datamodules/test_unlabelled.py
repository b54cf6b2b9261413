"""Images without labels: of any dataset, of the user's own folders, and of idx files."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from fake.image_folder import png, write_folder, write_zip

from datamodules._base import DataSettings
from datamodules._errors import DataError
from datamodules._plugins import UnknownPlugin
from datamodules._unlabelled import Unlabelled, UnlabelledImages, images_of, read_unlabelled
from datamodules.image_folder import ImageFolder
from datamodules.readers.idx import is_idx, read_idx

SETTINGS = DataSettings(classes=4, writers=(2, 1))
WHITE_ON_BLACK = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


def idx(images: np.ndarray = WHITE_ON_BLACK, magic: int = 0x803) -> bytes:
    return struct.pack(">IIII", magic, *images.shape) + images.tobytes()


def write(folder: Path, content: bytes, name: str = "t10k-images-idx3-ubyte.gz") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return folder / name


def read(place: Path) -> UnlabelledImages:
    return read_unlabelled(f"image_folder:{place}", SETTINGS)


@pytest.mark.parametrize("name", ["t10k-images-idx3-ubyte.gz", "train-images.idx3-ubyte"])
def test_idx_files_become_ink_on_paper(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, idx(), name)
    assert np.array_equal(read_idx(path), 255 - WHITE_ON_BLACK)
    found = read(path)
    assert found.name == path.name
    assert np.array_equal(found.images.image(1), 255 - WHITE_ON_BLACK[1])
    assert not is_idx(Path("t10k-labels-idx1-ubyte.gz"))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "byte 0: wanted 16 opening bytes, got the end of the file"),
        (idx()[:15], "byte 15: wanted 16 opening bytes"),
        (idx(magic=0x801), "byte 0: wanted 0x00000803, for images in unsigned bytes, got 0x00000801"),
        (idx(np.empty((5, 0, 4), np.uint8)), "byte 8: wanted images of at least one pixel, got 0 rows of 4"),
        (idx()[:-1], "byte 39: wanted 2 images of 3x4 up to byte 40, unpacked, got 39 bytes in all"),
        (idx() + b"x", "byte 40: wanted 2 images of 3x4 up to byte 40, unpacked, got 41 bytes in all"),
    ],
)
def test_damaged_idx_files_are_refused(tmp_path: Path, content: bytes, says: str) -> None:
    for name in ("a-images-idx3-ubyte", "b-images-idx3-ubyte.gz"):
        with pytest.raises(DataError, match=says):
            read_idx(write(tmp_path, content, name))


def test_gzip_cut_short_or_damaged_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, idx())
    whole = bytearray(path.read_bytes())
    for content in (whole[:-9], b"no gzip at all", whole[:12] + bytes([whole[12] ^ 255]) + whole[13:]):
        path.write_bytes(content)
        with pytest.raises(DataError, match=rf"byte {len(content)}: wanted a whole gzip file"):
            read_idx(path)


def test_a_folder_gives_every_image_below_it_and_no_labels(tmp_path: Path) -> None:
    folder = tmp_path / "mixed"
    write(folder, idx())
    write(folder, b"labels are not read", "t10k-labels-idx1-ubyte.gz")
    ink = np.full((5, 6), 7, np.uint8)
    (folder / "deep").mkdir()
    (folder / "deep" / "a.png").write_bytes(png(ink, "L"))
    found = read(folder)
    assert (found.name, found.synthetic, len(found.images)) == ("mixed", None, 3)
    assert np.array_equal(found.images.image(2), ink)
    assert found.images.labels.tolist() == [0, 1, 2]
    assert found.described() == "3x4 to 5x6 pixels in 1 channel"
    (folder / "deep" / "b.png").write_bytes(png(np.array([[1, 2]], np.uint8), "L"))
    assert read(folder).fingerprint != found.fingerprint


def test_colour_and_grey_together_are_colour(tmp_path: Path) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    (folder / "a.png").write_bytes(png(np.full((5, 6), 7, np.uint8), "L"))
    red = np.zeros((2, 2, 3), np.uint8)
    red[..., 0] = 200
    from PIL import Image

    Image.fromarray(red).save(folder / "b.png")
    found = read(folder)
    assert found.images.channels == 3
    assert found.images.image(0).tolist() == [[[7, 7, 7]] * 6] * 5
    assert np.array_equal(found.images.image(1), red)


def test_what_will_be_asked_is_not_learnt_from(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "own", train=6, test=3)
    archive = write_zip(folder, tmp_path / "own.zip", "inner")
    assert len(read(folder).images) == len(read(archive).images) == 2 * 6


def test_any_dataset_gives_its_training_images() -> None:
    found = read_unlabelled("synthetic_hwdb", SETTINGS)
    assert (found.name, found.synthetic, len(found.images)) == ("synthetic_hwdb", True, 8)
    assert found.images.labels.tolist() == list(range(8))


@pytest.mark.parametrize(
    ("spelt", "error", "says"),
    [
        ("mnist", UnknownPlugin, "unknown datamodule 'mnist'.*Known: .*synthetic_hwdb"),
        (
            "image_folder",
            DataError,
            "--unlabelled: byte 0: wanted .* got image_folder alone.* image_folder:DIR",
        ),
        ("image_folder:nowhere", DataError, "nowhere: byte 0: wanted unlabelled images, got nothing there"),
        ("synthetic_hwdb:somewhere", ValueError, "synthetic_hwdb is embedded"),
    ],
)
def test_wrong_sources_are_refused(spelt: str, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        read_unlabelled(spelt, SETTINGS)


def test_a_place_without_images_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("none")
    with pytest.raises(DataError, match=r"wanted unlabelled images, got none\. Supported file types: \.png"):
        read(tmp_path)
    with pytest.raises(DataError, match="got none"):
        read(write(tmp_path, idx(np.empty((0, 3, 4), np.uint8))))
    own = ImageFolder(write_folder(tmp_path / "own", train=6, test=3))
    own.setup()
    nothing = images_of(own)
    with pytest.raises(DataError, match="own: byte 0: wanted unlabelled images, got none"):
        Unlabelled(UnlabelledImages("own", None, "", nothing.images.take(np.arange(0))), own).setup()


def test_labels_are_numbers_and_many_images_are_cut_once_and_for_all(tmp_path: Path) -> None:
    own = ImageFolder(write_folder(tmp_path / "own", train=30, test=3))
    own.setup()
    whole = images_of(own)
    some = whole.at_most(7)
    assert whole.at_most(len(whole.images)) is whole
    assert some.images.labels.tolist() == list(range(7))
    assert np.array_equal(some.images.offsets, whole.at_most(7).images.offsets)
    served = Unlabelled(some, own, seed=3)
    served.batch_size = 2
    batches = list(served.in_order(0))
    assert [batch["labels"].tolist() for batch in batches] == [[0, 1], [2, 3], [4, 5], [6]]
    assert len(served.test) == 0
    assert served.val is own.val


@pytest.mark.realdata
def test_handwriting_of_another_kind_reads_whole(shared: Path) -> None:
    found = read(shared / "data" / "unlabelled")  # KMNIST's test images and their labels
    assert (found.name, len(found.images)) == ("unlabelled", 10_000)
    assert found.described() == "28x28 pixels in 1 channel"
    assert np.median(found.images.pixels) == 255
