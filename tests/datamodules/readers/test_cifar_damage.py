"""Every way in which CIFAR's files can be wrong, and what is said of it."""

import gzip
import pickle
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from fake.cifar import batch, pickled, read, write_archive, write_binary, write_python

from datamodules import cifar10, cifar100
from datamodules._errors import DataError


def refused(dataset: ModuleType, root: Path) -> DataError:
    with pytest.raises(DataError) as caught:
        read(dataset, root)
    return caught.value


@pytest.mark.parametrize("name", ["data_batch_3", "test_batch"])
def test_a_missing_file_is_named(name: str, tmp_path: Path) -> None:
    folder = write_python(tmp_path, cifar10.LAYOUT)
    (folder / name).unlink()
    error = refused(cifar10, tmp_path)
    assert (Path(error.file), error.offset, error.got) == (folder / name, 0, "nothing there")


def entry(count: int = 4, **changed: Any) -> bytes:
    planes, labels = batch(count, 10)
    value = {"labels": labels, "data": planes, **changed}
    return pickled({key: item for key, item in value.items() if item is not None})


PLANES, LABELS = batch(4, 10)


@pytest.mark.parametrize(
    ("content", "at", "says"),
    [
        (entry()[:-1000], None, "a whole pickle"),
        (b"", 0, "a whole pickle"),
        (pickle.dumps({"labels": eval}, 2), b"c__builtin__", "the name '__builtin__.eval'"),
        (pickle.dumps({"labels": np.load}, 4), b"\x93", "the name 'numpy.load'"),
        (b"cos\nsystem\n(U\x07echo hitR.", b"cos", "the name 'os.system'"),
        (pickled([1]), b"]", "a dictionary, got a value of type list"),
        (entry(labels=None), b"}", "a dictionary with 'labels', got the keys ['data']"),
        (entry(data=None), b"}", "a dictionary with 'data', got the keys ['labels']"),
        (entry(labels=7), b"K\x07", "a list under 'labels', got a value of type int"),
        (entry(data=[1]), b"](K\x01e", "a uint8 array under 'data', got a value of type list"),
        (entry(data=PLANES.astype(np.float32)), b"U\x02f4", "dtype 'f4'"),
        (entry(data=PLANES[:, :3071]), b"T\xfc\x2f\0\0", "data of (images, 3072), got (4, 3071)"),
        (entry(data=PLANES.ravel()), b"T\0\x30\0\0", "got (12288,)"),
        (entry(data=PLANES[:0], labels=[]), b"T\0\0\0\0", "got (0, 3072)"),
        (entry(labels=[0, 10, 2, 3]), b"K\x0a", "a label from 0 to 9, got 10"),
        (entry(labels=[0, -1, 2, 3]), b"J\xff\xff\xff\xffK\x02", "a label from 0 to 9, got -1"),
        (entry(labels=[0, "1", 2, 3]), b"U\x011", "a label from 0 to 9, got a value of type bytes"),
        (entry(labels=LABELS[:3]), b"](K", "4 labels, as many as images, got 3"),
    ],
)
def test_a_bad_pickle_says_what_is_wrong_at_which_byte(
    content: bytes, at: bytes | int | None, says: str, tmp_path: Path
) -> None:
    file = write_python(tmp_path, cifar10.LAYOUT) / "data_batch_2"
    file.write_bytes(content)
    error = refused(cifar10, tmp_path)
    assert error.file == str(file)
    assert says in str(error)
    wanted = len(content) if at is None else content.index(at) if isinstance(at, bytes) else at
    assert error.offset == wanted


@pytest.mark.parametrize(
    ("dataset", "file", "damage", "offset", "says"),
    [
        (cifar10, "data_batch_4.bin", lambda b: b[:-100], 19 * 3073, "records of 3073 bytes, got 2973 bytes, then the"),
        (cifar10, "test_batch.bin", lambda b: b + b"\0", 20 * 3073, "got 1 bytes, then the end"),
        (cifar10, "test_batch.bin", lambda b: b"", 0, "got 0 bytes"),
        (cifar10, "test_batch.bin", lambda b: b[:3073] + b"\x0a" + b[3074:], 3073, "a label below 10, got 10"),
        (cifar100, "train.bin", lambda b: b[:-1], 19 * 3074, "records of 3074 bytes"),
        (cifar100, "test.bin", lambda b: b[:6148] + b"\x14" + b[6149:], 6148, "a label below 20, got 20"),
        (cifar100, "test.bin", lambda b: b[:6149] + b"\x64" + b[6150:], 6149, "a label below 100, got 100"),
    ],
)
def test_a_bad_binary_file_says_what_is_wrong_at_which_byte(
    dataset: ModuleType, file: str, damage: Callable[[bytes], bytes], offset: int, says: str, tmp_path: Path
) -> None:
    path = write_binary(tmp_path, dataset.LAYOUT) / file
    path.write_bytes(damage(path.read_bytes()))
    error = refused(dataset, tmp_path)
    assert (error.file, error.offset) == (str(path), offset)
    assert says in str(error)


@pytest.mark.parametrize("names", [["a"] * 10, ["a", "b"], [*"abcdefghi", 7]])
def test_class_names_must_be_ten_different_ones(names: list[Any], tmp_path: Path) -> None:
    file = write_python(tmp_path, cifar10.LAYOUT) / "batches.meta"
    file.write_bytes(pickled({"label_names": names}))
    assert refused(cifar10, tmp_path).file == str(file)


@pytest.mark.parametrize("climbing", ["../outside", "/etc/outside", "cifar-10-batches-py/../../outside"])
def test_an_archive_with_climbing_paths_is_refused(climbing: str, tmp_path: Path) -> None:
    folder = write_python(tmp_path / "py", cifar10.LAYOUT, 2)
    archive = write_archive(folder, tmp_path / "a.tar.gz", {"notes": b"fine", climbing: b"x"})
    error = refused(cifar10, archive)
    assert (error.file, error.offset) == (str(archive), 1024)  # behind the notes: a header and a block
    assert climbing in error.got
    assert "do not unpack it" in error.advice


def test_a_damaged_file_in_an_archive_is_named_below_it(tmp_path: Path) -> None:
    folder = write_python(tmp_path / "py", cifar10.LAYOUT, 2)
    (folder / "data_batch_5").write_bytes(b"\x80\x02cos\nsystem\n.")
    archive = write_archive(folder, tmp_path / "a.tar.gz")
    error = refused(cifar10, archive)
    assert (error.file, error.offset) == (f"{archive}/cifar-10-batches-py/data_batch_5", 2)


def test_the_archive_of_the_other_dataset_is_refused(tmp_path: Path) -> None:
    folder = write_python(tmp_path / "py", cifar100.LAYOUT, 2)
    archive = write_archive(folder, tmp_path / "cifar-10-python.tar.gz")
    for root in (archive, folder, tmp_path / "nowhere"):
        error = refused(cifar10, root)
        assert error.file == str(root)
        assert "cifar-10-batches-py or cifar-10-batches-bin" in error.advice


@pytest.mark.parametrize("share", [0.0, 0.3, 0.999])
def test_an_archive_cut_short_is_located_at_its_end(share: float, tmp_path: Path) -> None:
    archive = write_archive(write_python(tmp_path / "py", cifar10.LAYOUT, 2), tmp_path / "a.tar.gz")
    content = archive.read_bytes()
    archive.write_bytes(content[: int(share * len(content))])
    error = refused(cifar10, archive)
    assert (error.file, error.offset) == (str(archive), int(share * len(content)))


def test_what_is_no_archive(tmp_path: Path) -> None:
    for content in (b"no archive", gzip.compress(b"no tar" * 1000)):
        archive = tmp_path / "a.tar.gz"
        archive.write_bytes(content)
        assert "a whole .tar.gz" in str(refused(cifar10, archive))


def test_a_changed_byte_in_an_archive_is_noticed(tmp_path: Path) -> None:
    archive = write_archive(write_python(tmp_path / "py", cifar10.LAYOUT, 2), tmp_path / "a.tar.gz")
    content = bytearray(archive.read_bytes())
    content[-8] ^= 1  # of the checksum, which stands behind everything else
    archive.write_bytes(content)
    assert "CRC check failed" in str(refused(cifar10, archive))
