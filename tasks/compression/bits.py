"""Whole numbers of 0 to 8 bits, one after the other without gaps, first bit first."""

import numpy as np
from numpy.typing import NDArray

MOST_BITS = 8
_SLICE = 1 << 20  # numbers at a time, a multiple of eight: their bits, one a byte, then stay in the caches


def packed_size(count: int, bits: int) -> int:
    """Bytes that so many numbers take; the last one is filled with zeros."""
    return (count * bits + 7) // 8


def pack_bits(codes: NDArray[np.uint8], bits: int) -> bytes:
    """Numbers, uint8 (n,), as bytes.

    Args:
        codes: each below ``2 ** bits``.
        bits: 0 to 8 a number; without any, all are 0 and take no bytes.

    Raises:
        ValueError: a number that does not fit, or no such width.
    """
    _check_width(bits)
    if len(codes) and int(codes.max()) >> bits:
        raise ValueError(f"wanted codes below {1 << bits} for {bits} bits each, got {int(codes.max())}")
    if bits == MOST_BITS:
        return codes.tobytes()
    parts = []
    for start in range(0, len(codes) if bits else 0, _SLICE):
        eight = np.unpackbits(codes[start : start + _SLICE, None], axis=1)
        parts.append(np.packbits(eight[:, MOST_BITS - bits :]).tobytes())
    return b"".join(parts)


def unpack_bits(packed: bytes | memoryview, bits: int, count: int) -> NDArray[np.uint8]:
    """The numbers that ``pack_bits`` packed, uint8 (count,).

    Raises:
        ValueError: not so many bytes as they take, or no such width.
    """
    _check_width(bits)
    if len(packed) != packed_size(count, bits):
        raise ValueError(f"wanted {packed_size(count, bits)} bytes for {count} codes of {bits} bits, got {len(packed)}")
    if bits == MOST_BITS:
        return np.frombuffer(packed, np.uint8).copy()
    codes = np.zeros(count, np.uint8)
    source = np.frombuffer(packed, np.uint8)
    for start in range(0, count if bits else 0, _SLICE):
        stop = min(start + _SLICE, count)
        part = source[start * bits // 8 : packed_size(stop, bits)]
        found = np.unpackbits(part, count=(stop - start) * bits).reshape(-1, bits)
        for place in range(bits):
            codes[start:stop] |= found[:, place] << (bits - 1 - place)
    return codes


def entropy_bits(codes: NDArray[np.uint8]) -> float:
    """Entropy of the numbers in bits each, taken one by one: what an ideal coder of single numbers needs."""
    if not codes.size:
        return 0.0
    share = np.bincount(codes.ravel()) / codes.size
    share = share[share > 0]
    return max(0.0, float(-(share * np.log2(share)).sum()))


def _check_width(bits: int) -> None:
    if not 0 <= bits <= MOST_BITS:
        raise ValueError(f"wanted 0 to {MOST_BITS} bits, got {bits}")
