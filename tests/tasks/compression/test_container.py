"""A packed file: what goes in comes out, and every damage is named with its place."""

from pathlib import Path

import numpy as np
import pytest

from datamodules._errors import DataError
from tasks.compression.container import HEADER_AT, Coded, from_bytes, raw, to_bytes


@pytest.fixture(scope="module")
def tensors() -> dict[str, Coded]:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 8, 60).astype(np.uint8)
    return {
        "first": Coded((3, 4, 5), "centroid", 3, rng.standard_normal(8).astype(np.float32), codes),
        "bias": raw(rng.standard_normal(7).astype(np.float32)),
        "scalar": raw(np.array(2.5, np.float32)),
    }


@pytest.fixture(scope="module")
def content(tensors: dict[str, Coded]) -> bytes:
    return to_bytes({"architecture": "lenet5", "classes": 30}, tensors)


def test_everything_comes_back(tensors: dict[str, Coded], content: bytes) -> None:
    about, found = from_bytes(content, "x.packed")
    assert about == {"architecture": "lenet5", "classes": 30}
    assert list(found) == list(tensors)
    for name, one in tensors.items():
        back = found[name]
        assert (back.shape, back.kind, back.bits) == (one.shape, one.kind, one.bits)
        assert np.array_equal(back.table, one.table)
        assert np.array_equal(back.codes, one.codes)
    assert to_bytes(about, found) == content


def test_the_payload_takes_what_its_numbers_take(content: bytes) -> None:
    header = int.from_bytes(content[12:16], "little")
    assert len(content) == HEADER_AT + header + (8 * 4 + 60 * 3 // 8 + 1) + 7 * 4 + 4


def test_a_file_cut_anywhere_is_refused_with_its_end(content: bytes) -> None:
    for length in range(len(content)):
        with pytest.raises(DataError) as caught:
            from_bytes(content[:length], "net.packed")
        assert caught.value.offset == (length if length >= 8 else caught.value.offset)
        assert str(caught.value).startswith(f"net.packed: byte {caught.value.offset}: wanted ")


def test_a_changed_byte_anywhere_is_refused(content: bytes) -> None:
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= 0x10
        with pytest.raises(DataError):
            from_bytes(bytes(changed), "net.packed")


def test_damage_names_the_tensor_and_its_first_byte(content: bytes) -> None:
    start = HEADER_AT + int.from_bytes(content[12:16], "little")
    changed = bytearray(content)
    changed[start + 40] ^= 1
    with pytest.raises(DataError, match=rf"net\.packed: byte {start}: wanted tensor first of 55 bytes with checksum"):
        from_bytes(bytes(changed), Path("net.packed"))
    with pytest.raises(DataError, match=rf"byte {len(content)}: wanted the end of the file, got 2 bytes more"):
        from_bytes(content + b"xx", "net.packed")
    with pytest.raises(DataError, match=r"byte 0: wanted a packed network, which begins with b'HCCRPACK'"):
        from_bytes(b"PK\x03\x04 and so on", "net.zip")
    with pytest.raises(DataError, match="byte 0: wanted a packed network"):
        from_bytes(b"", "net.packed")


def test_another_version_is_not_guessed_at(content: bytes) -> None:
    with pytest.raises(DataError, match="byte 8: wanted version 1, got 2"):
        from_bytes(content[:8] + b"\2" + content[9:], "net.packed")
