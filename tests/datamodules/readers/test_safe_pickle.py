"""Pickles are read by opcode: what NumPy 1 and 2 write comes back, and nothing is ever called."""

import contextlib
import os
import pickle
import pickletools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake.cifar import pickled

from datamodules._errors import DataError
from datamodules.readers.safe_pickle import Located, Pixels, read_pickle

PLANES = np.random.default_rng(0).integers(0, 256, (3, 4), dtype=np.uint8)


def plain(found: Located) -> Any:
    """A value without its offsets."""
    value = found.value
    if isinstance(value, Pixels):
        return value.array.tolist()
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return type(value)(map(plain, value)) if isinstance(value, list | tuple) else value


def test_the_fakes_are_true_pickles_of_python_two() -> None:
    content = pickled({"labels": [3, 300, -1], "data": PLANES})
    value = pickle.loads(content, encoding="bytes")
    assert value[b"labels"] == [3, 300, -1]
    assert (value[b"data"] == PLANES).all()
    assert value[b"data"].dtype == np.uint8


def test_python_two_and_numpy_one() -> None:
    found = read_pickle(pickled({"batch_label": "one", "labels": [3, 300, -1], "data": PLANES}), "x")
    assert plain(found) == {"batch_label": b"one", "labels": [3, 300, -1], "data": PLANES.tolist()}


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("order", ["C", "F"])
def test_files_saved_again_by_python_three_and_numpy_two(protocol: int, order: Any) -> None:
    value = {b"data": np.array(PLANES, order=order), "labels": [1, 2], "rest": (None, True, (), (1,), b"x" * 300)}
    content = pickle.dumps(value, protocol)
    wanted = {"data": PLANES.tolist(), "labels": [1, 2], "rest": (None, True, (), (1,), b"x" * 300)}
    assert plain(read_pickle(content, "x")) == wanted
    if protocol < 4:  # later protocols count the bytes of a name
        assert b"numpy._core" in content
        assert plain(read_pickle(content.replace(b"numpy._core", b"numpy.core"), "x")) == wanted


def test_every_value_knows_its_byte() -> None:
    content = pickled({"labels": [3, 300], "data": PLANES})
    found = read_pickle(content, "x").value
    first, second = found["labels"].value
    assert content[first.offset : first.offset + 2] == b"K\x03"
    assert content[second.offset : second.offset + 3] == b"J" + (300).to_bytes(2, "little")
    start = found["data"].value.offset
    assert content[start : start + 5 + PLANES.size] == b"T\x0c\0\0\0" + PLANES.tobytes()


class Calls:
    """Pickles as a call of any function."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.parts = function, arguments

    def __reduce__(self) -> Any:
        return self.parts


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
@pytest.mark.parametrize(
    ("function", "name"),
    [(os.system, "system"), (eval, "eval"), (np.load, "load"), (getattr, "getattr"), (np.memmap, "memmap")],
)
def test_a_pickle_that_would_run_code_does_not(
    tmp_path: Path, function: Callable[..., Any], name: str, protocol: int
) -> None:
    victim = tmp_path / "victim"
    content = pickle.dumps({"data": Calls(function, f"touch {victim}")}, protocol)
    with pytest.raises(DataError) as caught:
        read_pickle(content, "batch")
    assert not victim.exists()
    refused = next(place for op, _, place in pickletools.genops(content) if op.name in REFUSED[protocol > 1])
    assert (caught.value.file, caught.value.offset) == ("batch", refused)
    assert "get the original archive" in caught.value.advice
    if protocol > 1:
        assert name in caught.value.got


REFUSED = {True: ("GLOBAL", "STACK_GLOBAL"), False: ("GLOBAL", "STRING", "UNICODE", "DICT", "PUT")}


@pytest.mark.parametrize(
    ("opcodes", "offset", "says"),
    [
        (b"(cos\nsystem\nU\x02lso.", 3, "os.system"),
        (b"(U\x02lsios\nsystem\n.", 7, "INST"),
        (b"cnumpy\nndarray\n)\x81.", 18, "NEWOBJ"),
        (b"cnumpy\nndarray\nK\x03\x85R.", 20, "REDUCE"),  # a known name, but no call that such a file needs
        (b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\ndtype\nK\x00\x85U\x01b\x87R.", 58, "REDUCE"),
        (b"c_codecs\nencode\nX\x01\0\0\0aU\x03hex\x86R.", 30, "REDUCE"),
        (b"cnumpy\nload\n.", 2, "numpy.load"),
        (b"Pid\n.", 2, "PERSID"),
        (b"\x82\x01.", 2, "EXT1"),
        (b"\x8c\x02os\x8c\x06system\x93.", 14, "os.system"),
        (b"}K\x01K\x02s.", 7, "SETITEM"),  # keys are text
        (b"]K\x01\x85K\x01b.", 8, "BUILD"),
        (b"K\x01K\x01a.", 6, "APPEND"),
        (b"h\x05.", 2, "BINGET"),
        (b"a.", 2, "APPEND"),
        (b"K\x01(a.", 5, "APPEND"),  # what lies below a mark is out of reach
        (b"e.", 2, "APPENDS"),
        (b"K\x01K\x01.", 7, "2 values"),
    ],
)
def test_other_opcodes_are_refused_where_they_stand(opcodes: bytes, offset: int, says: str) -> None:
    with pytest.raises(DataError, match="wanted a pickle of plain values and uint8 arrays") as caught:
        read_pickle(b"\x80\x02" + opcodes, "batch")
    assert caught.value.offset == offset
    assert says in caught.value.got


@pytest.mark.parametrize("dtype", ["u2", "f8", "i1", "O", "V4"])
def test_arrays_are_of_bytes_alone(dtype: str) -> None:
    content = pickled(np.zeros((2, 2), np.uint8)).replace(b"U\x02u1", b"U" + bytes([len(dtype)]) + dtype.encode())
    with pytest.raises(DataError, match="wanted an array of dtype u1") as caught:
        read_pickle(content, "batch")
    assert repr(dtype) in caught.value.got
    assert caught.value.offset == content.index(b"cnumpy\ndtype\n") + len(b"cnumpy\ndtype\n")


@pytest.mark.parametrize(
    ("side", "says"),
    [(b"K\x05", "got 4 bytes"), (b"K\x01", "got 4 bytes"), (b"J\xff\xff\xff\xff", "BUILD")],
)
def test_shape_and_bytes_must_agree(side: bytes, says: str) -> None:
    content = pickled(np.zeros((2, 2), np.uint8)).replace(b"(K\x02K\x02t", b"(K\x02" + side + b"t")
    with pytest.raises(DataError, match=says):
        read_pickle(content, "batch")


@pytest.mark.parametrize("content", [b"", b"no pickle at all", b"\x1f\x8b\x08\x00", b"\xff\xff"])
def test_what_is_no_pickle(content: bytes) -> None:
    with pytest.raises(DataError) as caught:
        read_pickle(content, "batch")
    assert 0 <= caught.value.offset <= len(content)


def test_a_pickle_cut_anywhere_is_an_error() -> None:
    content = pickled({"labels": [3, 300], "data": PLANES})
    for length in range(len(content)):
        with pytest.raises(DataError) as caught:
            read_pickle(content[:length], "batch")
        assert caught.value.offset == length


def test_nothing_but_a_data_error_comes_from_damaged_bytes() -> None:
    content = pickled({"labels": [3, 300], "data": PLANES})
    rng = np.random.default_rng(1)
    for _ in range(3000):
        damaged = bytearray(content)
        for place in rng.integers(0, len(content), 2):
            damaged[place] = rng.integers(256)
        with contextlib.suppress(DataError):
            read_pickle(bytes(damaged), "batch")
