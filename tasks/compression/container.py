"""Packed tensors as one file: a compressed header, then each tensor's numbers; nothing in it is ever executed.

Bytes 0-7 hold MAGIC; 8-11, 12-15 and 16-19, little-endian, the version, the header's length and its CRC-32. The header
is zlib-compressed JSON: what the file is of, and of each tensor its name, shape, kind, bits, length of its table and
CRC-32. Then, tensor by tensor, its table, of float32 or, where its kind ends in ROWS, of bfloat16, and its codes of
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
RAW = "raw"  # kind of a tensor that is its table, kept in float32
ROWS = "-rows"  # end of the kinds whose tables are in bfloat16: half the bytes, and no step is off by more than 0.4 %

_OPENING = struct.Struct("<8sIII")
HEADER_AT = _OPENING.size  # byte at which the header begins
_MOST_HEADER = 1 << 26  # bytes; no network's names come near, and a damaged length must not ask for all memory
_AGAIN = "Pack the network again."


@dataclass(frozen=True)
class Coded:
    """One tensor as it is stored.

    Attributes:
        shape: of the tensor.
        kind: RAW, or a kind that a codec decodes, such as ``uniform``.
        bits: of one code, 0 to 8.
        table: float32, one axis: all numbers where RAW, else steps or centroids, as bfloat16 holds them where the kind
            ends in ROWS.
        codes: uint8, one axis: one for each number; none where RAW.
    """

    shape: tuple[int, ...]
    kind: str
    bits: int
    table: NDArray[np.float32]
    codes: NDArray[np.uint8]

    @property
    def entropy_bytes(self) -> float:
        """What the table and ideally coded codes would take."""
        return _width(self.kind) * len(self.table) + entropy_bits(self.codes) * len(self.codes) / 8


def kept(tensor: NDArray[np.float32]) -> Coded:
    """A tensor that stays in float32."""
    return Coded(tensor.shape, RAW, 0, tensor.astype(np.float32).ravel(), np.empty(0, np.uint8))


def is_packed(path: Path) -> bool:
    """Whether a file begins as packed ones do."""
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def to_bytes(about: Mapping[str, Any], tensors: Mapping[str, Coded]) -> bytes:
    """A whole file; equal tensors give equal bytes.

    Args:
        about: what it is of, as JSON can say it.
        tensors: in the order in which they are stored.
    """
    parts = [_table_bytes(one) + pack_bits(one.codes, one.bits) for one in tensors.values()]
    rows = [
        [name, list(one.shape), one.kind, one.bits, len(one.table), zlib.crc32(part)]
        for (name, one), part in zip(tensors.items(), parts, strict=True)
    ]
    header = zlib.compress(json.dumps([dict(about), rows], separators=(",", ":")).encode(), 9)
    return b"".join([_OPENING.pack(MAGIC, VERSION, len(header), zlib.crc32(header)), header, *parts])


def from_bytes(content: bytes, file: str | Path) -> tuple[dict[str, Any], dict[str, Coded]]:
    """What ``to_bytes`` made: what it is of, and its tensors.

    Args:
        content: of the whole file.
        file: its name, for messages.

    Raises:
        DataError: no packed file, cut short or with bytes too many, or damaged; names the file and the byte.
    """
    about, rows, place = _header(content, file)
    whole = memoryview(content)
    tensors: dict[str, Coded] = {}
    for row in rows:
        name, shape, kind, bits, table, checksum = _row(row, file)
        count = 0 if kind == RAW else prod(shape)
        before = _width(kind) * table
        length = before + packed_size(count, bits)
        part = whole[place : place + length]
        if len(part) < length:
            wanted = f"{place + length:,} bytes up to the end of tensor {name}"
            raise DataError(file, len(content), wanted, f"the end of the file at {len(content):,}: cut short", _AGAIN)
        if zlib.crc32(part) != checksum:
            wanted = f"tensor {name} of {length:,} bytes with checksum {checksum:08x}"
            raise DataError(file, place, wanted, f"{zlib.crc32(part):08x}: damaged", _AGAIN)
        numbers = _table(part[:before], kind)
        tensors[name] = Coded(tuple(shape), kind, bits, numbers, unpack_bits(part[before:], bits, count))
        place += length
    if place != len(content):
        raise DataError(file, place, "the end of the file", f"{len(content) - place:,} bytes more", _AGAIN)
    return about, tensors


def as_bfloat16(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The nearest numbers that bfloat16, the upper half of float32, holds."""
    words = values.astype(np.float32).view(np.uint32)
    return ((words + 0x7FFF + (words >> 16 & 1)) & 0xFFFF0000).view(np.float32)


def _width(kind: str) -> int:
    """Bytes of a number of a table."""
    return 2 if kind.endswith(ROWS) else 4


def _table_bytes(one: Coded) -> bytes:
    words = one.table.astype("<f4").view("<u4")
    if not one.kind.endswith(ROWS):
        return words.tobytes()
    if (words & 0xFFFF).any():
        raise ValueError("wanted steps that bfloat16 holds, got others")
    return (words >> 16).astype("<u2").tobytes()


def _table(content: Any, kind: str) -> NDArray[np.float32]:
    if not kind.endswith(ROWS):
        return np.frombuffer(content, "<f4").astype(np.float32)
    return (np.frombuffer(content, "<u2").astype(np.uint32) << 16).view(np.float32)


def _header(content: bytes, file: str | Path) -> tuple[dict[str, Any], Sequence[Any], int]:
    """What the file is of, a row for each tensor, and where the first one begins."""
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
        found = f"{zlib.crc32(header):08x}: damaged"
        raise DataError(file, _OPENING.size, f"a header with checksum {checksum:08x}", found, _AGAIN)
    try:
        about, rows = json.loads(zlib.decompress(header))
        return dict(about), list(rows), end
    except (zlib.error, ValueError, TypeError) as error:
        raise DataError(file, _OPENING.size, "a header of tensors", str(error), _AGAIN) from error


def _row(row: Any, file: str | Path) -> tuple[str, list[int], str, int, int, int]:
    """One tensor's row of the header, its values within their bounds."""
    try:
        name, shape, kind, bits, table, checksum = row
        fits = 0 <= bits <= MOST_BITS and min([table, *shape], default=0) >= 0
        if not fits or (kind == RAW and table != prod(shape)):
            raise ValueError(f"{name}: shape {shape}, {bits} bits, a table of {table}")
    except (TypeError, ValueError) as error:
        raise DataError(file, _OPENING.size, "rows that describe tensors", str(error), _AGAIN) from error
    return name, shape, kind, bits, table, checksum
