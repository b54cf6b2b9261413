"""CIFAR as users hold it: pickled or binary, folder or archive, whole or a part, at hand or fetched."""

import pickle
import urllib.error
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torchvision.datasets.utils
from fake.cifar import batch, class_names, parts, read, write_archive, write_binary, write_python
from fake.image_folder import write_folder

from bench.plugins import DATASETS
from datamodules import cifar10, cifar100
from datamodules._base import DataSettings
from datamodules._errors import DataError
from datamodules.image_folder import ImageFolder
from tasks.augmentation import CharacterAugmentation
from tasks.classification import ClassificationTask

BOTH = pytest.mark.parametrize("dataset", [cifar10, cifar100], ids=["cifar10", "cifar100"])


@BOTH
def test_images_labels_and_names_are_those_of_the_files(dataset: ModuleType, tmp_path: Path) -> None:
    data = read(dataset, write_python(tmp_path, dataset.LAYOUT))
    planes, labels = list(parts(dataset.LAYOUT, 20).values())[-1]
    assert data.test.labels.tolist() == labels
    for index, image in enumerate(planes):
        red, green, blue = image[:1024], image[1024:2048], image[2048:]
        found = data.test.image(index)
        assert found.shape == (32, 32, 3)
        assert (found[1, 2] == (red[34], green[34], blue[34])).all()
        assert (found == image.reshape(3, 32, 32).transpose(1, 2, 0)).all()
    assert data.labels == tuple(class_names(dataset.LAYOUT))


def test_training_files_follow_each_other_and_validation_is_cut_from_them(tmp_path: Path) -> None:
    data = read(cifar10, write_python(tmp_path, cifar10.LAYOUT))
    assert data.info.sizes["test"] == 20
    assert data.info.sizes["train"] + data.info.sizes["val"] == 100
    assert data.info.sizes["val"] >= 30
    found = {data.train.image(i).tobytes() for i in range(len(data.train))}
    found_val = {data.val.image(i).tobytes() for i in range(len(data.val))}
    planes = np.concatenate([batch(20, 10, seed)[0] for seed in range(5)]).reshape(-1, 3, 32, 32)
    assert not found & found_val
    assert found | found_val == {image.transpose(1, 2, 0).tobytes() for image in planes}


@BOTH
def test_every_form_and_place_is_the_same_data(dataset: ModuleType, tmp_path: Path) -> None:
    pickles = write_python(tmp_path / "py", dataset.LAYOUT)
    binary = write_binary(tmp_path / "bin", dataset.LAYOUT)
    wanted = read(dataset, pickles).fingerprint
    archives = [write_archive(folder, tmp_path / f"{folder.name}.tar.gz") for folder in (pickles, binary)]
    for root in (pickles.parent, binary, binary.parent, *archives):
        assert read(dataset, root).fingerprint == wanted


@BOTH
def test_the_two_datasets_have_facts_of_their_own(dataset: ModuleType, tmp_path: Path) -> None:
    info = read(dataset, write_python(tmp_path, dataset.LAYOUT)).info
    name = dataset.__name__.rpartition(".")[2]
    assert (info.name, info.synthetic, info.classes) == (name, False, len(dataset.LAYOUT.names))
    assert "Krizhevsky" in info.source
    assert DATASETS.literals(name)["LICENCE"] == info.licence
    assert DATASETS.literals(name)["SYNTHETIC"] is False


def test_a_part_says_so(tmp_path: Path) -> None:
    note = read(cifar100, write_python(tmp_path, cifar100.LAYOUT)).info.note
    assert note == "**A part of CIFAR-100**: 20 of 50,000 training and 20 of 10,000 test images."


@pytest.mark.parametrize(("dataset", "first", "last"), [(cifar10, "airplane", "truck"), (cifar100, "0", "99")])
@pytest.mark.parametrize("write", [write_python, write_binary])
def test_without_a_file_of_names(
    dataset: ModuleType, first: str, last: str, write: Callable[..., Path], tmp_path: Path
) -> None:
    folder = write(tmp_path, dataset.LAYOUT)
    for form in (dataset.LAYOUT.python, dataset.LAYOUT.binary):
        (folder / form.names).unlink(missing_ok=True)
    labels = read(dataset, folder).labels
    assert (labels[0], labels[-1]) == (first, last)


def test_colour_images_reach_colour_networks_untouched_and_grey_ones_resized(tmp_path: Path) -> None:
    data = read(cifar10, write_python(tmp_path, cifar10.LAYOUT))
    data.set_input(3, 32)
    images = next(iter(data.test_dataloader()))["images"]
    planes = batch(20, 10, 5)[0]
    assert (images.numpy() == planes.reshape(-1, 3, 32, 32)).all()
    data.set_input(1, 64)
    grey = next(iter(data.test_dataloader()))["images"]
    assert grey.shape == (20, 1, 64, 64)
    weighted = planes.reshape(-1, 3, 1024)[0].T @ (0.299, 0.587, 0.114)  # ITU-R BT.601
    assert abs(float(grey[0].float().mean()) - weighted.mean()) < 1


def test_grey_characters_reach_colour_networks(tmp_path: Path) -> None:
    data = ImageFolder(write_folder(tmp_path / "strokes"))
    data.set_input(3, 32)
    images = next(iter(data.test_dataloader()))["images"]
    assert images.shape[1:] == (3, 32, 32)
    assert (images[:, :1] == images).all()


def test_a_grey_network_reads_augmented_colour_images(tmp_path: Path) -> None:
    data = read(cifar10, write_python(tmp_path, cifar10.LAYOUT))
    task = ClassificationTask("fire:gwap", classes=10, recipe="light")
    data.set_input(task.channels, task.size)
    data.set_augmentation(CharacterAugmentation(task.recipe.augmentation, task.size))
    images = next(iter(data.train_dataloader()))["images"]
    assert images.shape[1:] == (1, 64, 64)
    assert task(images).shape == (len(images), 10)


@BOTH
def test_without_a_network_the_next_step_is_told(
    dataset: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(url: str, *_: Any) -> None:
        raise urllib.error.URLError("no route to host")

    monkeypatch.setenv("HCCR_BENCH_CACHE", str(tmp_path))
    monkeypatch.setattr(torchvision.datasets.utils, "download_url", fails)
    with pytest.raises(DataError, match="no route to host") as caught:
        dataset.build(DataSettings()).setup()
    assert caught.value.file.startswith("https://www.cs.toronto.edu/~kriz/cifar-10")
    assert "name it with --data-root" in caught.value.advice
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_download_is_kept_and_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_python(tmp_path / "py", cifar10.LAYOUT)
    content = write_archive(folder, tmp_path / "official.tar.gz").read_bytes()
    asked = []

    def fetches(url: str, root: str, name: str, md5: str) -> None:
        asked.append((url.rpartition("/")[2], md5))
        (Path(root) / name).write_bytes(content)

    monkeypatch.setenv("HCCR_BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(torchvision.datasets.utils, "download_url", fetches)
    found = []
    for _ in range(2):
        data = cifar10.build(DataSettings())
        data.prepare_data()
        found.append(data.fingerprint)
    # The checksum is the one on CIFAR's page.
    assert asked == [("cifar-10-python.tar.gz", "c58f30108f718f92721af3b95e74349a")]
    assert found == [read(cifar10, folder).fingerprint] * 2
    assert (tmp_path / "cache" / "cifar" / "cifar-10-python.tar.gz").exists()


@pytest.mark.slow
@pytest.mark.parametrize("write", [write_python, write_binary])
def test_the_whole_set_is_read(write: Callable[..., Path], tmp_path: Path) -> None:
    folder = write(tmp_path, cifar10.LAYOUT, 10_000)
    data = read(cifar10, folder)
    assert data.info.sizes == {"train": 45_000, "val": 5_000, "test": 10_000}
    assert data.info.note == ""


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("dataset", "folder", "train", "test", "names"),
    [
        (cifar10, "cifar-10-batches-py", 5_000, 1_000, ("airplane", "truck")),
        (cifar100, "cifar-100-python", 486, 916, ("apple", "worm")),
    ],
    ids=["cifar10", "cifar100"],
)
def test_real_images(
    shared: Path, dataset: ModuleType, folder: str, train: int, test: int, names: tuple[str, str]
) -> None:
    data = read(dataset, shared / "data" / "cifar")
    sizes = data.info.sizes
    assert (sizes["train"] + sizes["val"], sizes["test"]) == (train, test)
    assert (data.labels[0], data.labels[-1]) == names
    file = shared / "data" / "cifar" / folder / dataset.LAYOUT.python.test[0]
    stored = pickle.loads(file.read_bytes(), encoding="latin1")  # these very files are trusted
    pixels = stored["data"].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    assert (data.test.pixels.reshape(pixels.shape) == pixels).all()
    assert data.test.labels.tolist() == stored[dataset.LAYOUT.label_key]
    # Photographs: neighbouring pixels are alike, which a mix-up of planes and rows would break.
    steps = np.abs(np.diff(data.test.pixels.reshape(pixels.shape).astype(int), axis=2)).mean()
    assert steps < 20
