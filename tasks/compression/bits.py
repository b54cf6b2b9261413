"""Packs integers of 0 to 8 bits without gaps, most significant bit first, and measures their entropy."""

import numpy as np
from numpy.typing import NDArray

MOST_BITS = 8
_SLICE = 1 << 20  # integers per step, a multiple of eight: their unpacked bits, one per byte, fit the caches


def packed_size(count: int, bits: int) -> int:
    """Bytes of this many packed integers; the last byte is padded with zeros."""
    return (count * bits + 7) // 8


def pack_bits(codes: NDArray[np.uint8], bits: int) -> bytes:
    """Pack integers, uint8 (n,), each below ``2 ** bits``; with 0 bits all are 0 and take no bytes.

    Raises:
        ValueError: an integer that does not fit, or a width other than 0 to 8 bits.
    """
    _check_width(bits)
    if len(codes) and int(codes.max()) >> bits:
        raise ValueError(f"wanted codes below {1 << bits} for {bits} bits each, got {int(codes.max())}")
    if bits == MOST_BITS:
        return codes.tobytes()
    parts = []
    for start in range(0, len(codes) if bits else 0, _SLICE):
        unpacked = np.unpackbits(codes[start : start + _SLICE, None], axis=1)
        parts.append(np.packbits(unpacked[:, MOST_BITS - bits :]).tobytes())
    return b"".join(parts)


def unpack_bits(packed: bytes | memoryview, bits: int, count: int) -> NDArray[np.uint8]:
    """The integers that ``pack_bits`` packed, uint8 (count,).

    Raises:
        ValueError: the wrong number of bytes, or a width other than 0 to 8 bits.
    """
    _check_width(bits)
    if len(packed) != packed_size(count, bits):
        raise ValueError(f"wanted {packed_size(count, bits)} bytes for {count} codes of {bits} bits, got {len(packed)}")
    source = np.frombuffer(packed, np.uint8)
    if bits == MOST_BITS:
        return source.copy()
    codes = np.zeros(count, np.uint8)
    for start in range(0, count if bits else 0, _SLICE):
        stop = min(start + _SLICE, count)
        part = source[start * bits // 8 : packed_size(stop, bits)]
        unpacked = np.unpackbits(part, count=(stop - start) * bits).reshape(-1, bits)
        for place in range(bits):
            codes[start:stop] |= unpacked[:, place] << (bits - 1 - place)
    return codes


def entropy_bits(codes: NDArray[np.uint8]) -> float:
    """Entropy of the distribution of the codes, bits per code: the bound for an entropy coder without context."""
    if not codes.size:
        return 0.0
    share = np.bincount(codes.ravel()) / codes.size
    share = share[share > 0]
    return max(0.0, float(-(share * np.log2(share)).sum()))


def _check_width(bits: int) -> None:
    if not 0 <= bits <= MOST_BITS:
        raise ValueError(f"wanted 0 to {MOST_BITS} bits, got {bits}")
