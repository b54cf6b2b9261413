"""Reads images in MNIST's idx format, gzipped or not: ``…-images-idx3-ubyte[.gz]``.

Big-endian: two zero bytes, 8 for unsigned bytes, 3 for the axes; then, 4 bytes each, images, rows and columns; then the
pixels. Source: LeCun, Cortes and Burges, the MNIST database.
"""

import gzip
import struct
import zlib
from pathlib import Path, PurePath

import numpy as np
from numpy.typing import NDArray

from datamodules._errors import DataError

_OPENING = struct.Struct(">IIII")
_MAGIC = 0x0803
_AGAIN = "Copy the file again from its source."


def is_idx(path: PurePath) -> bool:
    """Whether a file has the name of an idx file of images."""
    return path.name.removesuffix(".gz").endswith("idx3-ubyte")


def read_idx(path: Path) -> NDArray[np.uint8]:
    """All images of a file, uint8 (n, h, w), paper 255: inverted, because these files have white ink on black.

    Raises:
        DataError: a damaged or truncated file, or one with additional bytes; names the byte.
    """
    content = path.read_bytes()
    try:
        content = gzip.decompress(content) if path.suffix == ".gz" else content
    except (OSError, EOFError, zlib.error) as error:  # gzip names no byte
        raise DataError(path, len(content), "a whole gzip file", str(error), _AGAIN) from error
    if len(content) < _OPENING.size:
        raise DataError(path, len(content), f"{_OPENING.size} opening bytes", "the end of the file", _AGAIN)
    magic, count, height, width = _OPENING.unpack_from(content)
    if magic != _MAGIC:
        raise DataError(path, 0, f"0x{_MAGIC:08x}, for images in unsigned bytes", f"0x{magic:08x}", _AGAIN)
    if not height or not width:
        raise DataError(path, 8, "images of at least one pixel", f"{height} rows of {width}", _AGAIN)
    end = _OPENING.size + count * height * width
    if len(content) != end:
        wanted = f"{count:,} images of {height}x{width} up to byte {end:,}, unpacked"
        raise DataError(path, min(len(content), end), wanted, f"{len(content):,} bytes in all", _AGAIN)
    return 255 - np.frombuffer(content, np.uint8, offset=_OPENING.size).reshape(count, height, width)
