"""The packed file format: a compressed JSON header, then the codes of each tensor; reading executes no code.

Bytes 0-7 hold MAGIC; 8-11, 12-15 and 16-19, little-endian, the version, the header's length and its CRC-32. The header
is zlib-compressed JSON: metadata of the network, and for each tensor its name, shape, kind, bits, length of its table
and CRC-32. Then follow, for each tensor, its table in float32 (bfloat16 if the kind ends in ROWS) and its codes of
``bits`` each.
"""

import json
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datamodules._errors import DataError
from tasks.compression.bits import MOST_BITS, entropy_bits, pack_bits, packed_size, unpack_bits

MAGIC = b"HCCRPACK"
VERSION = 1
RAW = "raw"  # kind of a tensor that is stored in float32, as its table
ROWS = "-rows"  # end of the kinds whose tables are in bfloat16: half the bytes, and each step is at most 0.4 % off

_OPENING = struct.Struct("<8sIII")
HEADER_AT = _OPENING.size  # byte at which the header begins
_MOST_HEADER = 1 << 26  # bytes; far above any real header, so that a damaged length cannot exhaust the memory
_AGAIN = "Pack the network again."


@dataclass(frozen=True)
class Coded:
    """One tensor as it is stored."""

    shape: tuple[int, ...]
    kind: str  # RAW, or a kind that a codec decodes, such as ``uniform``
    bits: int  # of one code, 0 to 8
    # One axis: all values if RAW, else steps or centroids; they are exact in bfloat16 if the kind ends in ROWS.
    table: NDArray[np.float32]
    codes: NDArray[np.uint8]  # one axis: one code for each value; empty if RAW

    @property
    def entropy_bytes(self) -> float:
        """Bytes of the table and of the codes under an ideal entropy coder."""
        return _width(self.kind) * len(self.table) + entropy_bits(self.codes) * len(self.codes) / 8


def raw(tensor: NDArray[np.float32]) -> Coded:
    """A tensor that stays in float32."""
    return Coded(tensor.shape, RAW, 0, tensor.astype(np.float32).ravel(), np.empty(0, np.uint8))


def is_packed(path: Path) -> bool:
    """Whether a file begins with the MAGIC of packed files."""
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def to_bytes(metadata: Mapping[str, Any], tensors: Mapping[str, Coded]) -> bytes:
    """The whole file, with the tensors in the order of the mapping; equal input gives equal bytes."""
    parts = [_table_bytes(tensor) + pack_bits(tensor.codes, tensor.bits) for tensor in tensors.values()]
    rows = [
        [name, list(tensor.shape), tensor.kind, tensor.bits, len(tensor.table), zlib.crc32(part)]
        for (name, tensor), part in zip(tensors.items(), parts, strict=True)
    ]
    header = zlib.compress(json.dumps([dict(metadata), rows], separators=(",", ":")).encode(), 9)
    return b"".join([_OPENING.pack(MAGIC, VERSION, len(header), zlib.crc32(header)), header, *parts])


def from_bytes(content: bytes, file: str | Path) -> tuple[dict[str, Any], dict[str, Coded]]:
    """Metadata and tensors of a packed file; ``file`` is its name for error messages.

    Raises:
        DataError: not a packed file, truncated, too long or damaged; names the file and the byte.
    """
    metadata, rows, start = _header(content, file)
    whole = memoryview(content)
    tensors: dict[str, Coded] = {}
    for row in rows:
        name, shape, kind, bits, table, checksum = _row(row, file)
        count = 0 if kind == RAW else prod(shape)
        table_size = _width(kind) * table
        length = table_size + packed_size(count, bits)
        part = whole[start : start + length]
        if len(part) < length:
            wanted = f"{start + length:,} bytes up to the end of tensor {name}"
            raise DataError(file, len(content), wanted, f"the end of the file at {len(content):,}: cut short", _AGAIN)
        if zlib.crc32(part) != checksum:
            wanted = f"tensor {name} of {length:,} bytes with checksum {checksum:08x}"
            raise DataError(file, start, wanted, f"{zlib.crc32(part):08x}: damaged", _AGAIN)
        codes = unpack_bits(part[table_size:], bits, count)
        tensors[name] = Coded(tuple(shape), kind, bits, _table(part[:table_size], kind), codes)
        start += length
    if start != len(content):
        raise DataError(file, start, "the end of the file", f"{len(content) - start:,} bytes more", _AGAIN)
    return metadata, tensors


def as_bfloat16(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Values rounded to the nearest that bfloat16, the upper half of float32, can represent."""
    words = values.astype(np.float32).view(np.uint32)
    return ((words + 0x7FFF + (words >> 16 & 1)) & 0xFFFF0000).view(np.float32)


def _width(kind: str) -> int:
    """Bytes of one value of a table."""
    return 2 if kind.endswith(ROWS) else 4


def _table_bytes(tensor: Coded) -> bytes:
    words = tensor.table.astype("<f4").view("<u4")
    if not tensor.kind.endswith(ROWS):
        return words.tobytes()
    if (words & 0xFFFF).any():
        raise ValueError("wanted steps that are exact in bfloat16, got others")
    return (words >> 16).astype("<u2").tobytes()


def _table(content: Any, kind: str) -> NDArray[np.float32]:
    if not kind.endswith(ROWS):
        return np.frombuffer(content, "<f4").astype(np.float32)
    return (np.frombuffer(content, "<u2").astype(np.uint32) << 16).view(np.float32)


def _header(content: bytes, file: str | Path) -> tuple[dict[str, Any], Sequence[Any], int]:
    """Metadata, one row for each tensor, and the byte at which the first tensor begins."""
    if content[: len(MAGIC)] != MAGIC[: len(content)] or not content:
        raise DataError(file, 0, f"a packed network, which begins with {MAGIC!r}", repr(content[: len(MAGIC)]))
    if len(content) < _OPENING.size:
        raise DataError(file, len(content), f"{_OPENING.size} opening bytes", f"{len(content)}: cut short", _AGAIN)
    _, version, length, checksum = _OPENING.unpack_from(content)
    if version != VERSION:
        raise DataError(file, 8, f"version {VERSION}", str(version), "Read it with the release that wrote it.")
    end = _OPENING.size + length
    if len(content) < end or length > _MOST_HEADER:
        raise DataError(file, len(content), f"a header up to byte {end:,}", f"{len(content):,} bytes in all", _AGAIN)
    header = content[_OPENING.size : end]
    if zlib.crc32(header) != checksum:
        actual = f"{zlib.crc32(header):08x}: damaged"
        raise DataError(file, _OPENING.size, f"a header with checksum {checksum:08x}", actual, _AGAIN)
    try:
        metadata, rows = json.loads(zlib.decompress(header))
        return dict(metadata), list(rows), end
    except (zlib.error, ValueError, TypeError) as error:
        raise DataError(file, _OPENING.size, "a header of tensors", str(error), _AGAIN) from error


def _row(row: Any, file: str | Path) -> tuple[str, list[int], str, int, int, int]:
    """One tensor's row of the header, after checking the range of its values."""
    try:
        name, shape, kind, bits, table, checksum = row
        fits = 0 <= bits <= MOST_BITS and min([table, *shape], default=0) >= 0
        if not fits or (kind == RAW and table != prod(shape)):
            raise ValueError(f"{name}: shape {shape}, {bits} bits, a table of {table}")
    except (TypeError, ValueError) as error:
        raise DataError(file, _OPENING.size, "rows that describe tensors", str(error), _AGAIN) from error
    return name, shape, kind, bits, table, checksum
