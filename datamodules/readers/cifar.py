"""Reads or downloads CIFAR-10 and CIFAR-100: pickled or binary files, in a folder or in the official .tar.gz."""

import gzip
import socket
import tarfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datamodules._base import Splits, cut_validation
from datamodules._characters import NO_WRITER, Characters
from datamodules._errors import DataError
from datamodules._files import cache_folder, whole_file
from datamodules.readers.safe_pickle import DAMAGE_ADVICE, Located, Pixels, read_pickle

SIDE = 32  # pixels
IMAGE_BYTES = 3 * SIDE * SIDE  # red plane, green plane, blue plane
TIMEOUT_S = 30  # without an answer; torchvision sets none
_STEP = 1 << 20  # bytes read at once when only the checksum matters

Read = Callable[[str], bytes | None]  # content of a file by its name; None if it does not exist


@dataclass(frozen=True)
class Form:
    """File layout of one form of a dataset: pickled or binary."""

    folder: str  # its name in the official archive
    train: tuple[str, ...]  # file names, in order
    test: tuple[str, ...]
    names: str  # file with the class names
    label_bytes: tuple[int, ...] = ()  # classes of each byte before the pixels, the label last; empty for pickles


@dataclass(frozen=True)
class Layout:
    """What differs between CIFAR-10 and CIFAR-100."""

    name: str  # in records
    title: str  # as its authors write it
    source: str  # publication
    licence: str
    torchvision: str  # class in torchvision.datasets with the URL, file name and checksum of the archive
    python: Form
    binary: Form
    label_key: str  # in the pickles
    names_key: str
    names: tuple[str, ...]  # of the classes, if no file states them
    whole: tuple[int, int]  # images in the complete training and test part

    @property
    def advice(self) -> str:
        """The valid values of --data-root."""
        forms = f"{self.python.folder} or {self.binary.folder}"
        return f"Expected: the folder {forms}, the folder that holds it, or the official .tar.gz as it is."


def read_splits(root: Path, layout: Layout) -> Splits:
    """Read all parts from a folder of the files, the folder above it, or the official .tar.gz.

    The validation part is cut from the training part.

    Raises:
        DataError: a missing or damaged file, or one with other content. Inside an archive, offsets count the unpacked
            bytes.
    """
    place, form, read = _open(root, layout)
    labels = _class_names(place, form, read, layout)
    train, test = (_read_part(place, form, names, read, layout) for names in (form.train, form.test))
    return Splits(labels, *cut_validation(train), test)


def partial_note(splits: Splits, layout: Layout) -> str:
    """The note of boards if this is only a part of the dataset; else empty."""
    train, test = len(splits.train) + len(splits.val), len(splits.test)
    if (train, test) == layout.whole:
        return ""
    of_train, of_test = (f"of {count:,}" for count in layout.whole)
    return f"**A part of {layout.title}**: {train:,} {of_train} training and {test:,} {of_test} test images."


def fetch(layout: Layout) -> Path:
    """The official archive in the user's cache; if missing, torchvision downloads it and verifies its checksum.

    Raises:
        DataError: no network, or a wrong checksum.
    """
    import torchvision.datasets
    from torchvision.datasets.utils import download_url

    official: Any = getattr(torchvision.datasets, layout.torchvision)
    archive = cache_folder() / "cifar" / str(official.filename)
    if archive.exists():
        return archive
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT_S)
    try:
        with whole_file(archive) as file:
            download_url(official.url, str(file.parent), file.name, official.tgz_md5)
    except (OSError, HTTPException, RuntimeError) as error:  # RuntimeError: a wrong checksum
        advice = f"Fetch it where there is a network, and name it with --data-root. {layout.advice}"
        raise DataError(official.url, 0, f"the archive of {layout.title}", f"{error}", advice) from error
    finally:
        socket.setdefaulttimeout(before)
    return archive


def _open(root: Path, layout: Layout) -> tuple[str, Form, Read]:
    """The place of the files, their form, and a function that reads one."""
    forms = (layout.python, layout.binary)
    if root.is_file():
        unpacked = _unpack(root, forms)
        for form in forms:
            inside = [PurePosixPath(name) for name in unpacked if name.startswith(f"{form.folder}/")]
            files = {path.name: unpacked[str(path)] for path in inside}
            if any(name in files for name in (*form.train, *form.test)):
                return f"{root}/{form.folder}", form, files.get
        raise DataError(root, 0, f"an archive of {layout.title}", "one without its files", layout.advice)
    for form in forms:
        for folder in (root, root / form.folder):
            if any((folder / name).is_file() for name in (*form.train, *form.test)):
                return str(folder), form, partial(_content, folder)
    got = "a folder without them" if root.is_dir() else "nothing there"
    raise DataError(root, 0, f"the files of {layout.title}", got, layout.advice)


def _content(folder: Path, name: str) -> bytes | None:
    return (folder / name).read_bytes() if (folder / name).is_file() else None


def _unpack(archive: Path, forms: Sequence[Form]) -> dict[str, bytes]:
    """The dataset's files in a .tar.gz by folder and name; reads to the end, so that gzip verifies its checksum."""
    wanted = {f"{form.folder}/{name}" for form in forms for name in (*form.train, *form.test, form.names)}
    contents: dict[str, bytes] = {}
    try:
        with gzip.open(archive) as stream, tarfile.open(fileobj=stream, mode="r:") as tar:
            for member in tar:
                path = PurePosixPath(member.name)
                if path.is_absolute() or ".." in path.parts or not (member.isfile() or member.isdir()):
                    got = f"the member {member.name!r}"
                    advice = "This is not the official archive; do not unpack it."
                    raise DataError(archive, member.offset, "files and folders below the archive's own", got, advice)
                file = tar.extractfile(member) if str(path) in wanted else None
                if file is not None:
                    contents[str(path)] = file.read()
            while stream.read(_STEP):
                pass
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise DataError(archive, archive.stat().st_size, "a whole .tar.gz", f"{error}", "Fetch it again.") from error
    return contents


def _class_names(place: str, form: Form, read: Read, layout: Layout) -> tuple[str, ...]:
    content = read(form.names)
    if content is None:
        return layout.names
    file, classes = f"{place}/{form.names}", len(layout.names)
    if form.label_bytes:
        names = tuple(content.decode("utf-8", "replace").split())
    else:
        items = _lookup(read_pickle(content, file), layout.names_key, list, file)
        names = tuple(_name(item, file) for item in items.value)
    if len(set(names)) != classes or len(names) != classes:
        raise DataError(file, 0, f"{classes} different class names", f"{len(names)}, {len(set(names))} different")
    return names


def _name(item: Located, file: str) -> str:
    if not isinstance(item.value, bytes | str):
        raise DataError(file, item.offset, "a class name", _type(item))
    return item.value if isinstance(item.value, str) else item.value.decode("utf-8", "replace")


def _read_part(place: str, form: Form, names: Sequence[str], read: Read, layout: Layout) -> Characters:
    parts = []
    for name in names:
        file, content = f"{place}/{name}", read(name)
        if content is None:
            raise DataError(file, 0, f"a file of {layout.title}", "nothing there", "All of its files are needed.")
        parts.append(_records(content, file, form) if form.label_bytes else _batch(content, file, layout))
    return _packed([planes for planes, _ in parts], np.concatenate([labels for _, labels in parts]))


def _records(content: bytes, file: str, form: Form) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Pixels (n, 3072) and labels (n,) of a binary file."""
    labels = len(form.label_bytes)
    size = labels + IMAGE_BYTES
    count, rest = divmod(len(content), size)
    if rest or not count:
        wanted, got = f"records of {size} bytes", f"{rest} bytes, then the end"
        raise DataError(file, count * size, wanted, got, DAMAGE_ADVICE)
    records = np.frombuffer(content, np.uint8).reshape(count, size)
    for column, classes in enumerate(form.label_bytes):
        bad = np.flatnonzero(records[:, column] >= classes)
        if len(bad):
            offset, got = int(bad[0]) * size + column, f"{records[bad[0], column]}"
            raise DataError(file, offset, f"a label below {classes}", got, DAMAGE_ADVICE)
    return records[:, labels:], records[:, labels - 1].astype(np.int64)


def _batch(content: bytes, file: str, layout: Layout) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Pixels (n, 3072) and labels (n,) of a pickled file."""
    root = read_pickle(content, file)
    pixels = _lookup(root, "data", Pixels, file).value
    shape = pixels.array.shape
    if len(shape) != 2 or shape[1] != IMAGE_BYTES or not shape[0]:
        raise DataError(file, pixels.offset, f"data of (images, {IMAGE_BYTES})", f"{shape}")
    labels = _lookup(root, layout.label_key, list, file)
    for item in labels.value:
        if type(item.value) is not int or not 0 <= item.value < len(layout.names):
            got = f"{item.value}" if type(item.value) is int else _type(item)
            raise DataError(file, item.offset, f"a label from 0 to {len(layout.names) - 1}", got)
    if len(labels.value) != shape[0]:
        raise DataError(file, labels.offset, f"{shape[0]} labels, as many as images", f"{len(labels.value)}")
    return pixels.array, np.array([item.value for item in labels.value], np.int64)


def _lookup(root: Located, key: str, kind: type, file: str) -> Located:
    """The value of a pickled dictionary under a key, checked for its type."""
    if not isinstance(root.value, dict):
        raise DataError(file, root.offset, "a dictionary", _type(root))
    item: Located | None = root.value.get(key)
    if item is None:
        raise DataError(file, root.offset, f"a dictionary with {key!r}", f"the keys {sorted(root.value)[:10]}")
    if not isinstance(item.value, kind):
        wanted = "a uint8 array" if kind is Pixels else f"a {kind.__name__}"
        raise DataError(file, item.offset, f"{wanted} under {key!r}", _type(item))
    return item


def _type(item: Located) -> str:
    return f"a value of type {type(item.value).__name__}"


def _packed(batches: Sequence[NDArray[np.uint8]], labels: NDArray[np.int64]) -> Characters:
    """Colour planes (n, 3072) as packed interleaved images."""
    count = len(labels)
    pixels = np.empty((count, SIDE * SIDE, 3), np.uint8)
    start = 0
    for planes in batches:
        for channel in range(3):  # at least twice as fast as one transposed copy (measured)
            plane = planes[:, channel * SIDE * SIDE : (channel + 1) * SIDE * SIDE]
            pixels[start : start + len(planes), :, channel] = plane
        start += len(planes)
    sides = np.full(count, SIDE, np.int32)
    offsets = np.arange(count, dtype=np.int64) * IMAGE_BYTES
    return Characters(pixels.ravel(), offsets, sides, sides, labels, np.full(count, NO_WRITER, np.int32), channels=3)
