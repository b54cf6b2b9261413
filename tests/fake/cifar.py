"""Tiny CIFAR folders and archives in the original layouts: pickles of Python 2 and NumPy 1, and binary records."""

import io
import struct
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datamodules._base import CharacterDataModule, DataSettings
from datamodules.readers.cifar import Layout

Part = tuple[NDArray[np.uint8], list[int]]  # planes (n, 3072) and labels


def batch(count: int, classes: int, seed: int = 0) -> Part:
    """Noise whose labels go round; planes as CIFAR stores them."""
    planes = np.random.default_rng(seed).integers(0, 256, (count, 3072), dtype=np.uint8)
    return planes, [(seed + index) % classes for index in range(count)]


def parts(layout: Layout, count: int) -> dict[str, Part]:
    """File name of the pickled form -> what it holds, ``count`` images each."""
    names = (*layout.python.train, *layout.python.test)
    return {name: batch(count, len(layout.names), seed) for seed, name in enumerate(names)}


def write_python(root: Path, layout: Layout, count: int = 20) -> Path:
    """``root/FOLDER`` with the pickled files."""
    folder = root / layout.python.folder
    folder.mkdir(parents=True)
    for name, (planes, labels) in parts(layout, count).items():
        (folder / name).write_bytes(pickled({"batch_label": name, layout.label_key: labels, "data": planes}))
    (folder / layout.python.names).write_bytes(pickled({layout.names_key: list(class_names(layout))}))
    return folder


def write_binary(root: Path, layout: Layout, count: int = 20) -> Path:
    """``root/FOLDER`` with the same images as binary records; coarse labels are 7."""
    folder = root / layout.binary.folder
    folder.mkdir(parents=True)
    names = (*layout.binary.train, *layout.binary.test)
    for name, (planes, labels) in zip(names, parts(layout, count).values(), strict=True):
        heads = ([7] * (len(layout.binary.label_bytes) - 1) + [label] for label in labels)
        records = (bytes(head) + image.tobytes() for head, image in zip(heads, planes, strict=True))
        (folder / name).write_bytes(b"".join(records))
    (folder / layout.binary.names).write_text("\n".join(class_names(layout)) + "\n\n")  # as the original ends
    return folder


def class_names(layout: Layout) -> Sequence[str]:
    """Other names than those known without a file."""
    return [f"kind_{label}" for label in range(len(layout.names))]


def write_archive(folder: Path, target: Path, extra: Mapping[str, bytes] | None = None) -> Path:
    """A folder as a .tar.gz, with further members before it."""
    with tarfile.open(target, "w:gz") as archive:
        for name, content in (extra or {}).items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        archive.add(folder, folder.name)
    return target


def pickled(value: Any) -> bytes:
    """A value as Python 2 and NumPy 1 pickled it in protocol 2: str as byte strings, arrays by their old name."""
    return b"\x80\x02" + _opcodes(value) + b"."


def _opcodes(value: Any) -> bytes:
    if isinstance(value, dict):
        return b"}(" + b"".join(_opcodes(key) + _opcodes(item) for key, item in value.items()) + b"u"
    if isinstance(value, list):
        return b"](" + b"".join(map(_opcodes, value)) + b"e"
    if isinstance(value, str):
        return b"U" + bytes([len(value)]) + value.encode()
    if isinstance(value, int):
        return b"K" + bytes([value]) if 0 <= value < 256 else b"J" + struct.pack("<i", value)
    return _array(value)


def _array(value: NDArray[Any]) -> bytes:
    made = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
    shape = b"(" + b"".join(_opcodes(side) for side in value.shape) + b"t"
    dtype = b"cnumpy\ndtype\n" + _opcodes(value.dtype.str[1:]) + b"K\x00K\x01\x87R"
    dtype += b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    return made + b"(K\x01" + shape + dtype + b"\x89T" + struct.pack("<I", value.nbytes) + value.tobytes() + b"tb"


def read(dataset: ModuleType, root: Path) -> CharacterDataModule:
    """The data of a plug-in, set up."""
    module: CharacterDataModule = dataset.build(DataSettings(root))
    module.setup()
    return module
