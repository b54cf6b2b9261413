"""Archives are streamed as they were downloaded: what is in them comes back, and every fault says where."""

import io
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from fake.alz import Packed, alz
from fake.archives import contents, fault

from datamodules._errors import DataError
from datamodules.readers import archive_member as _member
from datamodules.readers.archive import is_archive, members

FIRST, SECOND = b"first " * 5000, bytes(range(256)) * 300  # longer than a buffer each


def zipped(path: Path, packing: int = zipfile.ZIP_DEFLATED, **contents: bytes) -> Path:
    with zipfile.ZipFile(path, "w", packing) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return path


def patched(path: Path, signature: bytes, at: int, value: bytes) -> Path:
    """Overwrite bytes of a zip's only header of a kind."""
    content = bytearray(path.read_bytes())
    start = content.index(signature) + at
    content[start : start + len(value)] = value
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_members_of_a_zip_come_whole_and_in_order(tmp_path, packing) -> None:
    path = zipped(tmp_path / "a.zip", packing, **{"a/1.gnt": FIRST, "b": b"", "a/2.gnt": SECOND})
    assert contents(path) == {"a/1.gnt": FIRST, "b": b"", "a/2.gnt": SECOND}
    with zipfile.ZipFile(path) as archive:
        wanted = [(i.filename, i.file_size, f"{path}/{i.filename}", i.header_offset) for i in archive.infolist()]
    assert [(m.name, m.size, m.where, m.offset) for m, _ in members(path)] == wanted


def test_an_alz_in_a_zip_comes_in_its_place(tmp_path) -> None:
    inner = alz(Packed("1001-f.gnt", FIRST), Packed("sub\\1002-f.gnt", SECOND))
    path = zipped(tmp_path / "trn.zip", **{"x/trn.alz": inner, "readme": b"hi"})
    assert contents(path) == {"x/trn.alz/1001-f.gnt": FIRST, "x/trn.alz/sub/1002-f.gnt": SECOND, "readme": b"hi"}
    where = [member.where for member, _ in members(path)]
    assert where[1] == f"{path}/x/trn.alz/sub/1002-f.gnt"


def test_streams_read_by_pieces_and_members_may_be_left_unread(tmp_path) -> None:
    inner = alz(Packed("1", FIRST), Packed("2", SECOND), Packed("3", b"end"))
    path = zipped(tmp_path / "a.zip", **{"a.alz": inner})
    streams = members(path)
    _, first = next(streams)
    assert first.read(10) == FIRST[:10]
    next(streams)
    assert first.closed
    _, third = next(streams)
    assert third.read(2) == b"en"
    assert third.read(99) == b"d"
    assert third.read(1) == b""


def test_memory_does_not_grow_with_what_is_unpacked(tmp_path) -> None:
    inner = alz(Packed("blank", bytes(40_000_000)), Packed("again", bytes(20_000_000)))
    path = zipped(tmp_path / "a.zip", **{"a.alz": inner})
    tracemalloc.start()
    total = 0
    for _, stream in members(path):
        while piece := stream.read(1 << 16):
            total += len(piece)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total == 60_000_000
    assert peak < 2_000_000


@pytest.mark.parametrize("name", ["../up", "a/../../up", "/etc/x", "..\\up", "C:\\x", "\\x", "a\0b"])
def test_paths_that_lead_out_are_refused(tmp_path, name) -> None:
    inside = alz(Packed("fine", FIRST), Packed(name, SECOND))
    (tmp_path / "a.alz").write_bytes(inside)
    found = fault(tmp_path / "a.alz")
    assert found.offset == inside.index(b"BLZ\1", 20)
    assert repr(name) in str(found)
    if "\0" not in name:  # zipfile writes none
        path = zipped(tmp_path / "a.zip", fine=FIRST, **{name: SECOND})
        assert fault(path).offset == path.read_bytes().index(b"PK\3\4", 20)


def test_a_zip_bomb_is_stopped_while_it_unpacks(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(_member, "FREE", 100_000)
    path = zipped(tmp_path / "honest.zip", a=bytes(10_000_000))
    assert "at most" in str(fault(path))
    assert "zip bomb" in str(fault(path))
    # The directory lies about the size, so that only counting can tell.
    lying = patched(zipped(tmp_path / "lying.zip", a=bytes(10_000_000)), b"PK\1\2", 24, (90_000).to_bytes(4, "little"))
    assert "wanted 90000 bytes in a, got more" in str(fault(lying))


def test_a_bomb_of_many_members_or_levels_counts_as_one(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(_member, "FREE", 100_000)
    many = zipped(tmp_path / "many.zip", **{str(n): bytes(90_000) for n in range(10)})
    assert "zip bomb" in str(fault(many))
    inner = alz(*(Packed(str(n), bytes(90_000)) for n in range(10)))
    assert "zip bomb" in str(fault(zipped(tmp_path / "levels.zip", **{"a.alz": inner})))


def test_a_header_that_claims_terabytes_costs_nothing(tmp_path) -> None:
    big = Packed("big", b"x" * 9, method=0, width=8)
    content = alz(big).replace((9).to_bytes(8, "little"), (1 << 50).to_bytes(8, "little"))
    (tmp_path / "a.alz").write_bytes(content)
    tracemalloc.start()
    assert fault(tmp_path / "a.alz").offset == 8
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("signature", "at", "value", "says"),
    [
        (b"PK\1\2", 8, b"\1\0", "encrypted"),
        (b"PK\1\2", 10, b"\x0c\0", "packed by method 12"),
        (b"PK\1\2", 16, b"\0\0\0\0", "CRC-32 00000000 of a"),
        (b"PK\1\2", 24, b"\xff", "then the end"),
        (b"PK\1\2", 28, b"\0\0\1\0", "wanted a named member"),
        (b"PK\3\4", 31, b"\xff" * 8, "damage"),
    ],
)
def test_damage_to_a_zip_names_the_member_and_its_header(tmp_path, signature, at, value, says) -> None:
    path = patched(zipped(tmp_path / "a.zip", a=b"some text, some text"), signature, at, value)
    found = fault(path)
    assert found.offset == 0
    assert says in str(found)


def test_a_member_whose_header_is_gone_is_named(tmp_path) -> None:
    path = zipped(tmp_path / "a.zip", a=FIRST, b=SECOND)
    content = path.read_bytes()
    second = content.index(b"PK\3\4", 4)
    path.write_bytes(content[:second] + b"XX" + content[second + 2 :])
    assert fault(path).offset == second
    assert "got 58 58 03 04 for b" in str(fault(path))


def test_bytes_gone_from_the_middle_cost_no_more_than_their_member(tmp_path) -> None:
    path = zipped(tmp_path / "a.zip", a=FIRST, b=SECOND)
    content = path.read_bytes()
    path.write_bytes(content[:40] + content[50:])
    problems: list[DataError] = []
    assert {m.name: s.read() for m, s in members(path, problems.append)} == {"b": SECOND}
    assert [p.offset for p in problems] == [0]
    assert "for a" in str(problems[0])


def test_a_cut_zip_names_its_end(tmp_path) -> None:
    path = zipped(tmp_path / "a.zip", a=FIRST)
    path.write_bytes(path.read_bytes()[:-30])
    assert fault(path).offset == path.stat().st_size
    assert "directory" in str(fault(path))


def test_damage_in_an_alz_in_a_zip_lies_at_the_zips_member(tmp_path) -> None:
    inner = alz(Packed("1", FIRST), Packed("2", SECOND, crc=5))
    path = zipped(tmp_path / "a.zip", readme=b"hi", **{"a.alz": inner})
    found = fault(path)
    assert found.offset == path.read_bytes().index(b"PK\3\4", 4)
    assert f"byte {inner.index(b'BLZ', 20)} of a.alz" in str(found)
    assert "of 2" in str(found)


def test_reading_goes_on_after_what_is_handed_over(tmp_path) -> None:
    path = zipped(tmp_path / "a.zip", **{"1": FIRST, "../2": b"x", "3": SECOND, "x.zip": b"", "5": b"5"})
    problems: list[DataError] = []
    assert [member.name for member, _ in members(path, problems.append)] == ["1", "3", "5"]
    assert [("../2" in str(p), "x.zip" in str(p)) for p in problems] == [(True, False), (False, True)]


@pytest.mark.parametrize("damage", [200, -700])
def test_a_broken_outer_zip_is_reported_once(tmp_path, damage) -> None:
    inner = alz(*(Packed(str(n), bytes([n]) * 3000 + SECOND) for n in range(5)))
    path = zipped(tmp_path / "a.zip", zipfile.ZIP_STORED, **{"a.alz": inner, "b": b"fine"})
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        size = archive.getinfo("a.alz").compress_size
    content[damage if damage > 0 else size + damage] ^= 0xFF
    path.write_bytes(content)
    problems: list[DataError] = []
    names, broken = [], 0
    for member, stream in members(path, problems.append):
        names.append(member.name)
        try:
            stream.read()
        except DataError:
            broken += 1
    assert names[-1] == "b"
    assert broken + len(problems) in (1, 2)  # the inner member, and the zip's own checksum of the ALZ
    assert len(problems) == len({id(p) for p in problems})


@pytest.mark.parametrize("content", [b"", b"PK", b"a text file", b"\x1f\x8b" + bytes(30)])
def test_other_files_are_no_archives(tmp_path, content) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(content)
    assert not is_archive(path)
    assert fault(path).offset == 0


def test_an_empty_zip_has_no_members(tmp_path) -> None:
    path = zipped(tmp_path / "a.zip")
    assert is_archive(path)
    assert contents(path) == {}


def test_links_are_never_followed(tmp_path) -> None:
    link = zipfile.ZipInfo("link")
    link.external_attr = 0o120777 << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    (tmp_path / "a.zip").write_bytes(buffer.getvalue())
    assert contents(tmp_path / "a.zip") == {"link": b"/etc/passwd"}
