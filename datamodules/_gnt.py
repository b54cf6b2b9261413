"""The CASIA .gnt layout: records of one character each, end to end, without a file header.

A record: uint32 size of the whole record, two bytes of GBK tag, uint16 width, uint16 height, then
width × height grey bytes row by row, paper 255; all numbers little-endian.
Source: C.-L. Liu et al., CASIA Online and Offline Chinese Handwriting Databases, ICDAR 2011.
"""

import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from datamodules._cache import whole_file
from datamodules._errors import DataError

HEADER = struct.Struct("<I2sHH")  # size, tag, width, height: ten bytes
LARGEST_SIDE = 0xFFFF  # width and height are uint16
# First bytes of what people rename or unpack halfway: the official downloads are zips around ALZ archives.
OTHER_KINDS = {
    b"PK\x03\x04": "a zip archive",
    b"ALZ\x01": "an ALZ archive",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"\x1f\x8b": "gzip data",
    b"Rar!": "a RAR archive",
    b"7z\xbc\xaf": "a 7z archive",
}


@dataclass(frozen=True, slots=True)
class GntRecord:
    """One character of a .gnt file.

    Attributes:
        tag: two bytes, the GBK code; see ``gnt_character``.
        image: uint8 (h, w), paper 255; a read-only view of the file's bytes.
        offset: byte offset of the record in its file.
    """

    tag: bytes
    image: NDArray[np.uint8]
    offset: int


def gnt_character(tag: bytes) -> str:
    """The character that a tag names: a two-byte GBK code, or one ASCII byte and a zero byte as in HWDB1.0.

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


def read_gnt(path: Path, on_bad: Callable[[DataError], None] | None = None) -> Iterator[GntRecord]:
    """The records of a .gnt file, in order; the file is read once and the images are views of it.

    Args:
        path: the file.
        on_bad: where given, takes each problem instead of its being raised, and reading goes on at the next
            record; where no next record can be made out, reading ends.

    Raises:
        DataError: an empty file, a truncated record, a size that contradicts width and height, a width or
            height of zero, a tag that is no GBK code, trailing bytes, another kind of file.
    """
    content = path.read_bytes()
    if not content:
        problem = DataError(path, 0, "at least one record", "an empty file", "Fetch or unpack it again.")
        _report(problem, on_bad)
        return
    offset = 0
    while offset < len(content):
        found = _problem(path, content, offset)
        if found is None:
            size, tag, width, height = HEADER.unpack_from(content, offset)
            pixels = np.frombuffer(content, np.uint8, width * height, offset + HEADER.size)
            yield GntRecord(tag, pixels.reshape(height, width), offset)
            offset += size
            continue
        _report(found, on_bad)
        following = _next_record(content, offset)
        if following is None:
            return
        offset = following


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


def _report(problem: DataError, on_bad: Callable[[DataError], None] | None) -> None:
    if on_bad is None:
        raise problem
    on_bad(problem)


def _problem(path: Path, content: bytes, offset: int) -> DataError | None:
    """What is wrong with the record at this offset, None where nothing is."""
    left = len(content) - offset
    again = "Fetch or unpack the file again."
    if left < HEADER.size:
        return DataError(path, offset, f"a header of {HEADER.size} bytes", f"{left} trailing bytes", again)
    size, tag, width, height = HEADER.unpack_from(content, offset)
    if offset == 0:
        for magic, kind in OTHER_KINDS.items():
            if content.startswith(magic) and size != HEADER.size + width * height:
                return DataError(path, 0, "a .gnt record", kind, "Unpack it first.")
    if not width or not height:
        return DataError(path, offset + 6, "a width and height of at least 1", f"{width} × {height}", again)
    if size != HEADER.size + width * height:
        wanted = f"a record size of {HEADER.size + width * height} for {width} × {height} pixels"
        advice = again if offset else "Is this a .gnt file?"
        return DataError(path, offset, wanted, str(size), advice)
    if size > left:
        return DataError(path, offset, f"a record of {size} bytes", f"{left} bytes, then the end", again)
    try:
        gnt_character(tag)
    except ValueError:
        return DataError(path, offset + 4, "a GBK code of two bytes", tag.hex(" "))
    return None


def _next_record(content: bytes, offset: int) -> int | None:
    """Where the record after a damaged one starts, by its size or its width and height; None if unknown."""
    if len(content) - offset < HEADER.size:
        return None
    size, _, width, height = HEADER.unpack_from(content, offset)
    for step in (size, HEADER.size + width * height):
        start = offset + step
        if step < HEADER.size or start + HEADER.size > len(content):
            continue
        following, _, w, h = HEADER.unpack_from(content, start)
        if w and h and following == HEADER.size + w * h:
            return int(start)
    return None
