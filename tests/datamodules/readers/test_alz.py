"""ALZ archives, against hand-made ones that Debian's unalz unpacks to the same files."""

import shutil
import subprocess
from pathlib import Path

import pytest
from fake.alz import BZIP2, END, FOLDER, START, STORE, Packed, alz
from fake.archives import contents, fault

from datamodules._errors import DataError
from datamodules.readers.archive import members

TEXT = "字 of a writer ".encode() * 400
SAMPLES = (
    Packed("1001-f.gnt", TEXT),
    Packed("한글.gnt", TEXT * 200, width=8),
    Packed("folder\\", attribute=FOLDER, width=0),
    Packed("folder\\1002-f.gnt", b"short", STORE, width=1),
    Packed("folder\\1003-f.gnt", TEXT, STORE, width=2),
    Packed("empty.gnt", width=0),
)


def write(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "a.alz"
    path.write_bytes(content)
    return path


def wanted() -> dict[str, bytes]:
    return {p.name.replace("\\", "/"): p.content for p in SAMPLES if p.attribute != FOLDER}


def test_stored_and_deflated_members_come_back_whatever_the_width_of_sizes(tmp_path) -> None:
    path = write(tmp_path, alz(*SAMPLES))
    assert contents(path) == wanted()
    assert [m.size for m, _ in members(path)] == [len(content) for content in wanted().values()]


@pytest.mark.skipif(shutil.which("unalz") is None, reason="no unalz here; Debian has a package of that name")
def test_unalz_unpacks_the_same_files(tmp_path) -> None:
    path = write(tmp_path, alz(*SAMPLES))
    subprocess.run(["unalz", "-d", tmp_path / "out", path], check=True, capture_output=True, timeout=60)
    for name, content in wanted().items():
        assert (tmp_path / "out" / name).read_bytes() == content


@pytest.mark.parametrize("encoding", ["cp949", "utf-8"])
def test_names_are_korean_or_utf8(tmp_path, encoding) -> None:
    path = write(tmp_path, alz(Packed("폴더/한글.gnt", b"x", encoding=encoding)))
    assert list(contents(path)) == ["폴더/한글.gnt"]


def test_comments_are_passed_over(tmp_path) -> None:
    assert contents(write(tmp_path, alz(Packed("a", TEXT), comments=("하나", "two")))) == {"a": TEXT}


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (Packed("b", TEXT, BZIP2), "bzip2 as ALZ changed it. Unpack the archive with Debian's unalz"),
        (Packed("b", TEXT, 7), "method 7"),
        (Packed("b", TEXT, encrypted=True), "encrypted"),
        (Packed("b", TEXT, crc=7), "CRC-32 00000007 of b"),
        (Packed("b.alz", alz()), "the archive b.alz inside"),
    ],
)
def test_what_cannot_be_read_is_named_and_the_next_member_follows(tmp_path, bad, says) -> None:
    content = alz(Packed("a", TEXT), bad, Packed("c", TEXT))
    path = write(tmp_path, content)
    found = fault(path)
    assert found.offset == content.index(b"BLZ\1", 20)
    assert says in str(found)
    problems, names = [], []
    for member, stream in members(path, problems.append):
        try:
            stream.read()
            names.append(member.name)
        except DataError as problem:
            problems.append(problem)
    assert names == ["a", "c"]
    assert [p.offset for p in problems] == [found.offset]


def test_every_cut_is_noticed_within_the_file(tmp_path) -> None:
    content = alz(Packed("a", b"some text"), Packed("b", b"more", STORE), comments=("x",))
    for length in range(len(content)):
        path = write(tmp_path, content[:length])
        problems: list[DataError] = []
        for _, stream in members(path, problems.append):
            try:
                stream.read()
            except DataError as problem:
                problems.append(problem)
        assert len(problems) == 1, length
        assert 0 <= problems[0].offset <= length


def test_volumes_are_refused(tmp_path) -> None:
    found = fault(write(tmp_path, alz(Packed("a", TEXT))[: -len(END)] + b"CLZ\3" + bytes(12)))
    assert "volume of several" in str(found)
    assert "unalz" in str(found)
    assert "volumes" in str(fault(write(tmp_path, alz(Packed("a", TEXT))[:60])))


@pytest.mark.parametrize(("content", "offset", "says"), [
    (START + b"XLZ\1", 8, "58 4c 5a 01"),
    (START + b"BLZ\1\1\0\x20\0\0\0\0\x30\0", 8, "of 3 bytes"),
])  # fmt: skip
def test_unknown_records_are_refused(tmp_path, content, offset, says) -> None:
    found = fault(write(tmp_path, content + bytes(40)))
    assert found.offset == offset
    assert says in str(found)
