"""Reads and writes CASIA .gnt files: records of one character each, end to end, without a file header.

A record: uint32 size of the whole record, two bytes of GBK tag, uint16 width, uint16 height, then
width × height grey bytes row by row, paper 255; all numbers little-endian.
Source: C.-L. Liu et al., CASIA Online and Offline Chinese Handwriting Databases, ICDAR 2011.
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from datamodules._characters import Characters
from datamodules._errors import DataError, OnBad
from datamodules._files import whole_file

HEADER = struct.Struct("<I2sHH")  # size, tag, width, height: ten bytes
LARGEST_SIDE = 0xFFFF  # width and height are uint16
BLOCK = 1 << 20  # bytes read at a time: about 250 records of HWDB1.1
LARGEST_RECORD = 1 << 26  # bytes, more than a scanned page; a larger size is damage, and must not allocate memory
# First bytes of files that users rename or unpack halfway: the official downloads are zips around ALZ archives.
OTHER_KINDS = {
    b"PK\x03\x04": "a zip archive", b"ALZ\x01": "an ALZ archive", b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image", b"\x1f\x8b": "gzip data", b"Rar!": "a RAR archive", b"7z\xbc\xaf": "a 7z archive",
}  # fmt: skip


class SupportsRead(Protocol):
    """A stream that can be read forwards."""

    def read(self, size: int, /) -> bytes:
        """At most ``size`` bytes; empty at the end."""
        ...


@dataclass(frozen=True, slots=True)
class GntRecord:
    """One character of a .gnt file."""

    tag: bytes  # two bytes, the GBK code; see ``gnt_character``
    image: NDArray[np.uint8]  # (h, w), paper 255; a read-only view of the block
    offset: int  # of the record in its file, in bytes


@lru_cache(maxsize=1 << 16)  # the number of tags
def gnt_character(tag: bytes) -> str:
    """The character of a tag: a two-byte GBK code, or one ASCII byte and a zero byte as in HWDB1.0.

    Raises:
        ValueError: no such code.
    """
    if len(tag) != 2:
        raise ValueError(f"a tag has two bytes, not {len(tag)}")
    text = tag.decode("gbk")  # UnicodeDecodeError is a ValueError
    if len(text) == 2 and text[1] == "\0" and text[0].isprintable():
        return text[0]
    if len(text) != 1:
        raise ValueError(f"{tag.hex(' ')} is no GBK code of two bytes")
    return text


def read_gnt(path: Path, on_bad: OnBad | None = None) -> Iterator[GntRecord]:
    """The records of a .gnt file, in order; see ``read_gnt_stream``, also for errors."""
    with path.open("rb", buffering=0) as file:
        yield from read_gnt_stream(file, path, on_bad)


def read_gnt_stream(file: SupportsRead, name: str | Path, on_bad: OnBad | None = None) -> Iterator[GntRecord]:
    """The records of a .gnt stream, read once, forwards, in blocks; images are views of the blocks.

    Args:
        file: a file or a member of an archive.
        name: of the file, for errors.
        on_bad: receives each error instead of its being raised; reading then continues at the next record, or ends
            if none can be found.

    Raises:
        DataError: an empty file, a truncated record, a size that contradicts width and height, a width or
            height of zero, a tag that is no GBK code, trailing bytes, another kind of file, a record of more
            than LARGEST_RECORD bytes.
    """
    window, offset = _Window(file), 0
    if not window.reach(0, 1):
        _report(DataError(name, 0, "at least one record", "an empty file", "Fetch or unpack it again."), on_bad)
        return
    while window.reach(offset, 1):
        problem = _problem(name, window, offset)
        if problem is None:
            at = offset - window.start
            size, tag, width, height = HEADER.unpack_from(window.content, at)
            pixels = np.frombuffer(window.content, np.uint8, width * height, at + HEADER.size)
            yield GntRecord(tag, pixels.reshape(height, width), offset)
            offset += size
            continue
        _report(problem, on_bad)
        following = _next_record(window, offset)
        if following is None:
            return
        offset = following


def read_characters(files: Sequence[Path], labels: Sequence[str], writers: Sequence[int] | None = None) -> Characters:
    """Read .gnt files of one writer each; characters outside ``labels``, the ordered label space, are dropped.

    ``writers`` is the number of each file's writer, by default the index of the file.

    Raises:
        DataError: a damaged file.
    """
    class_index = {character: label for label, character in enumerate(labels)}
    rows = [
        (record.image, class_index[character], writer)
        for writer, file in zip(range(len(files)) if writers is None else writers, files, strict=True)
        for record in read_gnt(file)
        if (character := gnt_character(record.tag)) in class_index
    ]
    return Characters.pack([row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows])


def write_gnt(path: Path, records: Iterable[tuple[bytes, NDArray[np.uint8]]]) -> None:
    """Write (tag, image) records atomically; images are uint8 (h, w), paper 255.

    Raises:
        ValueError: a tag that is no GBK code, or an image that is not uint8 (h, w) of 1 to 65,535 pixels.
    """
    with whole_file(path) as partial, partial.open("wb") as file:
        for tag, image in records:
            gnt_character(tag)
            fits = image.ndim == 2 and image.size and max(image.shape) <= LARGEST_SIDE
            if image.dtype != np.uint8 or not fits:
                raise ValueError(f"wanted a uint8 image (h, w), got {image.dtype} {image.shape}")
            height, width = image.shape
            file.write(HEADER.pack(HEADER.size + image.size, tag, width, height) + image.tobytes())


def _report(problem: DataError, on_bad: OnBad | None) -> None:
    if on_bad is None:
        raise problem
    on_bad(problem)


class _Window:
    """The part of a stream that is in memory: ``content`` begins at byte ``start``."""

    def __init__(self, file: SupportsRead) -> None:
        self.file, self.content, self.start, self.ended = file, b"", 0, False

    def reach(self, offset: int, count: int) -> int:
        """How many of ``count`` bytes from ``offset`` on exist; reading more discards the bytes before ``offset``."""
        end = offset + count - self.start
        if end > len(self.content) and not self.ended:
            pieces = [self.content[offset - self.start :]]
            held = len(pieces[0])
            self.start = offset
            while held < count and not self.ended:
                piece = self.file.read(BLOCK)
                self.ended = not piece
                pieces.append(piece)
                held += len(piece)
            self.content = b"".join(pieces)
        return max(0, min(count, len(self.content) - (offset - self.start)))

    def header(self, offset: int) -> tuple[int, bytes, int, int]:
        """Size, tag, width and height at an offset that ``reach`` has loaded."""
        size, tag, width, height = HEADER.unpack_from(self.content, offset - self.start)
        return size, tag, width, height


def _problem(name: str | Path, window: _Window, offset: int) -> DataError | None:
    """The fault of the record at this offset; None if it is valid."""
    again = "Fetch or unpack the file again."
    left = window.reach(offset, HEADER.size)
    if left < HEADER.size:
        return DataError(name, offset, f"a header of {HEADER.size} bytes", f"{left} trailing bytes", again)
    size, tag, width, height = window.header(offset)
    if offset == 0:
        for magic, kind in OTHER_KINDS.items():
            if window.content.startswith(magic) and size != HEADER.size + width * height:
                return DataError(name, 0, "a .gnt record", kind, "Unpack it first.")
    if not width or not height:
        return DataError(name, offset + 6, "a width and height of at least 1", f"{width} × {height}", again)
    if size != HEADER.size + width * height:
        wanted = f"a record size of {HEADER.size + width * height} for {width} × {height} pixels"
        return DataError(name, offset, wanted, str(size), again if offset else "Is this a .gnt file?")
    needed = min(size, LARGEST_RECORD)
    left = window.reach(offset, needed)
    if left < needed:
        return DataError(name, offset, f"a record of {size} bytes", f"{left} bytes, then the end", again)
    if size > LARGEST_RECORD:
        return DataError(name, offset, f"a record of at most {LARGEST_RECORD} bytes", str(size), "Is it a character?")
    try:
        gnt_character(tag)
    except ValueError:
        return DataError(name, offset + 4, "a GBK code of two bytes", tag.hex(" "))
    return None


def _next_record(window: _Window, offset: int) -> int | None:
    """Offset of the record after a damaged one, by its size or its width and height; None if unknown."""
    if window.reach(offset, HEADER.size) < HEADER.size:
        return None
    size, _, width, height = window.header(offset)
    for step in (size, HEADER.size + width * height):
        needed = step + HEADER.size
        if not HEADER.size <= step <= LARGEST_RECORD or window.reach(offset, needed) < needed:
            continue
        following, _, w, h = window.header(offset + step)
        if w and h and following == HEADER.size + w * h:
            return offset + step
    return None
