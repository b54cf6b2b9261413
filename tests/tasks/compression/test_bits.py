"""Numbers of few bits: no gap between them, and the same numbers back."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.compression import bits as _bits
from tasks.compression.bits import entropy_bits, pack_bits, packed_size, unpack_bits


def test_first_bit_first_without_gaps() -> None:
    codes = np.array([5, 0, 7], np.uint8)
    assert pack_bits(codes, 3) == bytes([0b10100011, 0b10000000])
    assert pack_bits(np.array([9, 4], np.uint8), 4) == bytes([0x94])  # two to a byte
    assert pack_bits(np.zeros(99, np.uint8), 0) == b""
    assert unpack_bits(b"", 0, 3).tolist() == [0, 0, 0]


@settings(deadline=None)
@given(st.integers(0, 8), st.integers(0, 50), st.integers(0, 2**32 - 1))
def test_what_is_packed_comes_back(bits: int, count: int, seed: int) -> None:
    codes = np.random.default_rng(seed).integers(0, 1 << bits, count).astype(np.uint8)
    packed = pack_bits(codes, bits)
    assert len(packed) == packed_size(count, bits) == math.ceil(count * bits / 8)
    assert np.array_equal(unpack_bits(packed, bits, count), codes)


def test_slices_join(monkeypatch: pytest.MonkeyPatch) -> None:
    codes = np.random.default_rng(0).integers(0, 32, 1003).astype(np.uint8)
    whole = pack_bits(codes, 5)
    monkeypatch.setattr(_bits, "_SLICE", 16)
    assert pack_bits(codes, 5) == whole
    assert np.array_equal(unpack_bits(whole, 5, 1003), codes)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="wanted codes below 16 for 4 bits each, got 16"):
        pack_bits(np.array([16], np.uint8), 4)
    with pytest.raises(ValueError, match="wanted 0 to 8 bits, got 9"):
        pack_bits(np.array([1], np.uint8), 9)
    with pytest.raises(ValueError, match="wanted 2 bytes for 3 codes of 4 bits, got 1"):
        unpack_bits(b"\0", 4, 3)


def test_entropy_of_known_shares() -> None:
    assert entropy_bits(np.array([0, 1, 2, 3], np.uint8)) == 2
    assert entropy_bits(np.array([7, 7, 7], np.uint8)) == 0
    assert entropy_bits(np.array([0, 0, 1, 2], np.uint8)) == pytest.approx(1.5)
    assert entropy_bits(np.empty(0, np.uint8)) == 0
