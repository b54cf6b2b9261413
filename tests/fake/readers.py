"""The readers of other people's bytes, each with a valid file: what fuzzing mutates and what it calls."""

import io
import struct
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from fake.alz import STORE, Packed, alz
from fake.gnt import record
from fake.image_folder import png

from datamodules._errors import DataError
from datamodules.readers.archive import members
from datamodules.readers.gnt import read_gnt

GNT = record("啊", 3, 2) + record("座", 2, 4, 9) + record("国", 5, 5, 1)


@dataclass(frozen=True)
class Reader:
    """A reader under test.

    Attributes:
        name: of the format.
        valid: a whole file of it.
        read: reads a file to its end, and yields the problems it was told of; it may raise DataError and nothing else.
    """

    name: str
    valid: bytes
    read: Callable[[Path], Iterator[DataError]]


def check(reader: Reader, path: Path) -> None:
    """Read a file of any bytes: records, or errors that lie within it; anything else raises."""
    try:
        problems = list(reader.read(path))
    except DataError as problem:
        problems = [problem]
    size = path.stat().st_size
    for problem in problems:
        assert type(problem.offset) is int, problem
        assert problem.file.startswith(str(path)), problem
        assert 0 <= problem.offset <= size, problem


def read_gnt_file(path: Path) -> Iterator[DataError]:
    problems: list[DataError] = []
    for found in read_gnt(path, problems.append):
        assert found.image.size
    yield from problems
    for _ in read_gnt(path):
        pass


def read_archive(path: Path) -> Iterator[DataError]:
    problems: list[DataError] = []
    for member, stream in members(path, problems.append):
        assert ".." not in member.name.split("/")
        try:
            while stream.read(1 << 16):
                pass
        except DataError as problem:
            problems.append(problem)
    yield from problems
    for _, stream in members(path):
        stream.read()


def read_image(path: Path) -> Iterator[DataError]:
    from datamodules.readers.decode import decode_image

    assert decode_image(path.read_bytes(), str(path)).size
    yield from ()


def read_images(path: Path) -> Iterator[DataError]:
    from datamodules.readers.idx import read_idx

    assert read_idx(path).ndim == 3
    yield from ()


def _zip(inner: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a/1001-f.gnt", GNT, zipfile.ZIP_DEFLATED)
        archive.writestr("trn.alz", inner, zipfile.ZIP_STORED)
    return buffer.getvalue()


_ALZ = alz(Packed("1001-f.gnt", GNT), Packed("한글.gnt", b"x" * 20, STORE, width=1), Packed("no.gnt", width=0))

# A further reader is one line here.
READERS = (
    Reader("gnt", GNT, read_gnt_file),
    Reader("alz", _ALZ, read_archive),
    Reader("zip", _zip(_ALZ), read_archive),
    Reader("idx", struct.pack(">IIII", 0x0803, 2, 3, 4) + bytes(24), read_images),
    Reader("image", png(np.arange(48, dtype=np.uint8).reshape(6, 8), "RGBA"), read_image),
)
