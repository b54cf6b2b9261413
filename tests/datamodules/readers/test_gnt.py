"""Reading and writing .gnt: whole files come back equal, damaged ones name file and byte offset."""

import struct
from pathlib import Path

import numpy as np
import pytest
from fake.gnt import record, symbol
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datamodules._errors import DataError
from datamodules.readers.gb2312 import LEVEL1
from datamodules.readers.gnt import BLOCK, LARGEST_RECORD, gnt_character, read_gnt, read_gnt_stream, write_gnt

REAL = Path(__file__).parents[3].parent / "shared" / "data" / "gnt"


WHOLE = record("啊", 3, 2) + record("座", 2, 4, 9)  # 16 and 18 bytes


def read(tmp_path: Path, content: bytes) -> list:
    path = tmp_path / "1001-f.gnt"
    path.write_bytes(content)
    return list(read_gnt(path))


def fault(tmp_path: Path, content: bytes) -> DataError:
    with pytest.raises(DataError) as caught:
        read(tmp_path, content)
    assert caught.value.file.endswith("1001-f.gnt")
    return caught.value


def test_records_come_in_order_with_tag_shape_and_offset(tmp_path) -> None:
    first, second = read(tmp_path, WHOLE)
    assert (first.tag, first.offset, first.image.shape) == (b"\xb0\xa1", 0, (2, 3))
    assert (gnt_character(second.tag), second.offset, second.image.shape) == ("座", 16, (4, 2))
    assert (first.image == 7).all()
    assert (second.image == 9).all()


def test_rows_of_an_image_are_rows_of_the_file(tmp_path) -> None:
    content = struct.pack("<I2sHH", 16, "一".encode("gbk"), 3, 2) + bytes([0, 1, 2, 3, 4, 5])
    assert read(tmp_path, content)[0].image.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_what_is_written_comes_back(tmp_path) -> None:
    rng = np.random.default_rng(0)
    written = [
        (c.encode("gbk"), rng.integers(0, 256, size, np.uint8))
        for c, size in (("啊", (1, 1)), ("国", (80, 60)), ("宀", (3, 500)))
    ]
    path = tmp_path / "new" / "s0001.gnt"
    write_gnt(path, written)
    back = list(read_gnt(path))
    assert [r.tag for r in back] == [tag for tag, _ in written]
    for got, (_, image) in zip(back, written, strict=True):
        assert np.array_equal(got.image, image)
    assert list(path.parent.iterdir()) == [path]


def test_the_writer_lays_out_what_the_format_asks(tmp_path) -> None:
    path = tmp_path / "a.gnt"
    images = {"啊": np.full((2, 3), 7, np.uint8), "座": np.full((4, 2), 9, np.uint8)}
    write_gnt(path, ((character.encode("gbk"), image) for character, image in images.items()))
    assert path.read_bytes() == WHOLE


def test_a_failed_write_leaves_the_old_file(tmp_path) -> None:
    path = tmp_path / "a.gnt"
    path.write_bytes(WHOLE)
    good = ("啊".encode("gbk"), np.zeros((2, 2), np.uint8))
    for bad in [(b"\xff\xff", good[1]), (good[0], np.zeros((0, 3), np.uint8)), (good[0], np.zeros((2, 2)))]:
        with pytest.raises(ValueError):  # noqa: PT011 - the codec words the first one
            write_gnt(path, [good, bad])
        assert path.read_bytes() == WHOLE
        assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("content", "offset", "says"),
    [
        (b"", 0, "empty"),
        (WHOLE[:-1], 16, "17 bytes"),
        (WHOLE[:12], 0, "12 bytes"),
        (WHOLE + b"\0\0\0", 34, "3 trailing bytes"),
        (b"PK\x03\x04" + WHOLE, 0, "zip"),
        (b"\x89PNG\r\n\x1a\n" + WHOLE, 0, "PNG"),
        (b"ALZ\x01" + WHOLE, 0, "ALZ"),
        (record("啊", 3, 2) + b"\x13" + WHOLE[17:], 16, "18 for 2 × 4"),
        (struct.pack("<I2sHH", 10, b"\xb0\xa1", 0, 5), 6, "0 × 5"),
        (WHOLE[:16] + struct.pack("<I2sHH", 10, b"\xb0\xa1", 5, 0), 22, "5 × 0"),
        (WHOLE[:20] + b"\xff\xff" + WHOLE[22:], 20, "ff ff"),
        (struct.pack("<I2sHH", 10 + 65535 * 65535, b"\xb0\xa1", 65535, 65535), 0, "10 bytes, then the end"),
        (b"a text file, renamed", 0, ".gnt"),
    ],
)
def test_damage_names_the_byte(tmp_path, content, offset, says) -> None:
    error = fault(tmp_path, content)
    assert error.offset == offset
    assert says in str(error)


def test_problems_can_be_collected_and_reading_goes_on_after_a_bad_tag(tmp_path) -> None:
    path = tmp_path / "a.gnt"
    path.write_bytes(WHOLE[:4] + b"\xff\xff" + WHOLE[6:])
    problems: list[DataError] = []
    assert [r.offset for r in read_gnt(path, problems.append)] == [16]
    assert [p.offset for p in problems] == [4]


def test_reading_goes_on_after_a_wrong_size_or_a_wrong_width(tmp_path) -> None:
    for damage in (b"\x11" + WHOLE[1:], WHOLE[:6] + b"\x09" + WHOLE[7:]):
        path = tmp_path / "a.gnt"
        path.write_bytes(damage + record("国", 2, 2))
        problems: list[DataError] = []
        assert [gnt_character(r.tag) for r in read_gnt(path, problems.append)] == ["座", "国"]
        assert [p.offset for p in problems] == [0]


class Endless:
    """A stream of records without end that notes how much is asked of it."""

    def __init__(self, head: bytes = b"") -> None:
        self.head, self.given = head, 0

    def read(self, size: int, /) -> bytes:
        content = (self.head or WHOLE * (size // len(WHOLE)))[:size]
        self.head = b""
        self.given += len(content)
        return content


def test_a_stream_is_read_a_block_at_a_time() -> None:
    stream = Endless()
    first = [record.offset for record, _ in zip(read_gnt_stream(stream, "endless"), range(4), strict=False)]
    assert first == [0, 16, 34, 50]
    assert stream.given <= BLOCK


def test_a_stream_may_give_less_than_was_asked() -> None:
    class Bytes:
        left = WHOLE * 3

        def read(self, size: int, /) -> bytes:
            piece, self.left = self.left[:1], self.left[1:]
            return piece

    got = list(read_gnt_stream(Bytes(), "drops"))
    assert [(r.offset, r.image.tobytes()) for r in got[:2]] == [(0, b"\7" * 6), (16, b"\x09" * 8)]
    assert len(got) == 6


def test_a_record_that_claims_gigabytes_does_not_get_them() -> None:
    claim = struct.pack("<I2sHH", 10 + 65535 * 65535, b"\xb0\xa1", 65535, 65535)
    stream = Endless(claim)
    with pytest.raises(DataError, match=f"endless: byte 0: wanted a record of at most {LARGEST_RECORD} bytes"):
        next(read_gnt_stream(stream, "endless"))
    assert stream.given <= LARGEST_RECORD + 2 * BLOCK


@pytest.mark.parametrize("code", [ord("!"), ord("A"), ord("~")])
def test_ascii_symbols_are_read_as_other_symbols(code: int, tmp_path: Path) -> None:
    (found, _) = read(tmp_path, symbol(code) + WHOLE[:16])
    assert gnt_character(found.tag) == chr(code)
    assert chr(code) not in LEVEL1


@pytest.mark.parametrize(("tag", "character"), [(b"\xb0\xa1", "啊"), (b"A\0", "A"), (b"\xa3\xc1", "Ａ")])
def test_tags_name_characters(tag, character) -> None:
    assert gnt_character(tag) == character


@pytest.mark.parametrize("tag", [b"", b"\xb0", b"AB", b"\0\0", b"\xff\xff", b"\xb0\x20"])
def test_bad_tags_are_refused(tag) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the codec words some of them
        gnt_character(tag)


def _mutated() -> st.SearchStrategy[bytes]:
    def change(edits: list[tuple[int, int]], cut: int, tail: bytes) -> bytes:
        content = bytearray(WHOLE)
        for at, value in edits:
            content[at] = value
        return bytes(content[: len(content) - cut]) + tail

    edit = st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255))
    return st.builds(change, st.lists(edit, max_size=6), st.integers(0, len(WHOLE)), st.binary(max_size=20))


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=80) | _mutated())
def test_any_bytes_give_records_or_a_data_error(tmp_path, content) -> None:
    path = tmp_path / "fuzz.gnt"
    path.write_bytes(content)
    covered, problems = 0, []
    for got in read_gnt(path, problems.append):
        covered += 10 + got.image.size
        assert gnt_character(got.tag)
    assert covered == len(content) > 0 or problems
    assert all(0 <= p.offset <= len(content) for p in problems)
    if problems:
        with pytest.raises(DataError):
            list(read_gnt(path))


@pytest.mark.realdata
@pytest.mark.skipif(not REAL.is_dir(), reason="no real .gnt files at ../shared/data/gnt")
def test_real_handwriting_is_read_whole() -> None:
    records = [r for path in sorted(REAL.glob("*.gnt")) for r in read_gnt(path)]
    assert len(records) == 126
    assert len({gnt_character(r.tag) for r in records}) == 21
    assert all(r.image.max() == 255 and r.image.min() < 64 for r in records)
