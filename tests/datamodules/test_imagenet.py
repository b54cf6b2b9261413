"""ImageNet's photographs from the user's folders, as torchvision's networks are shown them."""

import io
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torchvision.transforms.functional as reference
from fake.imagenet import jpeg, photograph, write_imagenet
from PIL import Image

from bench.plugins import DATASETS
from datamodules import imagenet
from datamodules._base import DataSettings
from datamodules._errors import DataError
from datamodules._loader import BatchDataset, Fitted, make_loader
from datamodules._unlabelled import read_unlabelled
from datamodules.readers.decode import decode_middle


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imagenet, "CLASSES", 4)


@pytest.mark.parametrize(("height", "width"), [(300, 500), (500, 301), (224, 224), (70, 40), (257, 1000)])
def test_a_photograph_is_cut_as_torchvision_does(height: int, width: int) -> None:
    pixels = np.random.default_rng(height).integers(0, 256, (height, width, 3), dtype=np.uint8)
    found = decode_middle(jpeg(pixels, "PNG"), "photo", 256, 224)
    wanted = reference.center_crop(reference.resize(Image.fromarray(pixels), [256]), [224])
    assert np.array_equal(found, np.asarray(wanted))


@pytest.mark.parametrize("mode", ["L", "CMYK", "RGBA"])
def test_photographs_in_other_colours_are_converted(mode: str) -> None:
    buffer = io.BytesIO()
    Image.fromarray(photograph(3, 1)).convert(mode).save(buffer, "PNG" if mode == "RGBA" else "JPEG")
    found = decode_middle(buffer.getvalue(), "photo", 256, 224)
    assert found.shape == (224, 224, 3)
    if mode != "L":
        assert np.abs(found.astype(int) - photograph(3, 1)[0, 0]).max() < 12


def test_a_thousand_folders_are_classes_in_the_order_of_their_names(tmp_path: Path) -> None:
    data = imagenet.ImageNet(write_imagenet(tmp_path, 1000, val=3))
    assert data.labels == tuple(f"n{label:08}" for label in range(1000))
    assert data.info.sizes == {"train": 0, "val": 1000, "test": 2000}
    assert data.info.note == "**A part of ImageNet**: 0 of 1,281,167 training and 2,000 of 50,000 test photographs."
    index = int(np.flatnonzero(data.test.labels == 7)[0])
    image = data.test.image(index)
    assert image.shape == (224, 224, 3)
    assert abs(int(image[0, 0, 0]) - 37 * 7 % 256) < 4


@pytest.mark.usefixtures("few")
def test_validation_is_cut_from_the_training_photographs(tmp_path: Path) -> None:
    data = imagenet.ImageNet(write_imagenet(tmp_path, 4, val=2, train=40))
    assert data.info.sizes == {"train": 4 * 30, "val": 4 * 10, "test": 8}
    assert {file.split(b"/")[0] for file in (*data.train.files, *data.val.files)} == {b"train"}
    assert not set(data.train.files) & set(data.val.files)
    again = imagenet.ImageNet(tmp_path)
    assert list(again.val.files) == list(data.val.files)
    assert again.fingerprint == data.fingerprint


@pytest.mark.usefixtures("few")
def test_the_fingerprint_is_of_names_and_sizes(tmp_path: Path) -> None:
    before = imagenet.ImageNet(write_imagenet(tmp_path, 4, val=3)).fingerprint
    file = next(tmp_path.rglob("*.JPEG"))
    file.write_bytes(file.read_bytes() + b"\0")
    assert imagenet.ImageNet(tmp_path).fingerprint != before


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize(("name", "other"), [("SHORTER", 232), ("_SPLIT_SEED", 1)])
def test_photographs_cut_or_chosen_otherwise_are_other_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, other: int
) -> None:
    before = imagenet.ImageNet(write_imagenet(tmp_path, 4, val=9)).fingerprint
    monkeypatch.setattr(imagenet, name, other)
    assert imagenet.ImageNet(tmp_path).fingerprint != before


@pytest.mark.usefixtures("few")
def test_batches_are_in_colour_or_grey_and_survive_pickling(tmp_path: Path) -> None:
    data = imagenet.ImageNet(write_imagenet(tmp_path, 4, val=3))
    part = pickle.loads(pickle.dumps(data.test))  # as workers get it that are not forked
    for channels, size in ((3, 224), (1, 64)):
        (batch,) = make_loader(BatchDataset(part, Fitted(size), size, channels, 0), 64, shuffle=False, workers=0)
        assert batch["images"].shape == (8, channels, size, size)
        assert batch["labels"].tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


@pytest.mark.usefixtures("few")
def test_networks_may_learn_from_its_photographs_without_labels(tmp_path: Path) -> None:
    write_imagenet(tmp_path, 4, val=3, train=40)
    found = read_unlabelled(f"imagenet:{tmp_path}", DataSettings())
    assert (found.name, len(found.images), found.described()) == ("imagenet", 120, "224x224 pixels in 3 channels")
    assert found.at_most(5).images.image(4).shape == (224, 224, 3)


def test_a_narrow_photograph_that_would_grow_beyond_memory_is_refused() -> None:
    narrow = np.zeros((16_000, 1, 3), np.uint8)
    with pytest.raises(DataError, match=r"wanted a photo of at most .*, got 1 × 16,000, which is enlarged beyond it"):
        decode_middle(jpeg(narrow, "PNG"), "narrow.png", 256, 224)


@pytest.mark.usefixtures("few")
def test_a_damaged_photograph_is_named_when_it_is_read(tmp_path: Path) -> None:
    data = imagenet.ImageNet(write_imagenet(tmp_path, 4, val=3))
    data.setup()
    cut, gone = (tmp_path / os.fsdecode(name) for name in data.test.files[:2])
    cut.write_bytes(cut.read_bytes()[:200])
    gone.unlink()
    for index, path in enumerate((cut, gone)):
        with pytest.raises(DataError, match=path.name):
            data.test.image(index)


@pytest.mark.usefixtures("few")
def test_other_folders_are_refused(tmp_path: Path) -> None:
    def refused(root: Path | None) -> str:
        with pytest.raises(DataError) as caught:
            DATASETS.load("imagenet").build(DataSettings(root)).setup()
        return str(caught.value)

    assert "the folder of ImageNet's photographs, got nothing" in refused(None)
    assert "val: byte 0: wanted a folder of classes, got nothing there" in refused(tmp_path)
    write_imagenet(tmp_path / "few", 3)
    assert "wanted ImageNet's 4 classes, a folder each, got 3, such as n00000000" in refused(tmp_path / "few")
    write_imagenet(tmp_path / "odd", 4, val=1, train=1)
    (tmp_path / "odd" / "train" / "n00000003").rename(tmp_path / "odd" / "train" / "n00000009")
    assert "the same classes in train and val, got only on one side: n00000003, n00000009" in refused(tmp_path / "odd")
    write_imagenet(tmp_path / "empty", 4)
    (tmp_path / "empty" / "val" / "n00000002" / "val_0.JPEG").unlink()
    assert "wanted at least one photograph, got an empty class" in refused(tmp_path / "empty")
