"""The packed cache: whole or not there, resumed after any end, shared, checked, and never of other sources."""

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from fake.gnt import part, record, write_zip
from fake.prepared import TEST, TRAIN, content, made, write_parts

from datamodules._characters import Characters
from datamodules._errors import DataError
from datamodules.cache.prepared import Prepared, check
from datamodules.casia_hwdb import PROTOCOL
from datamodules.readers.casia_parts import find_sources


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_parts(tmp_path / "data")


def test_a_second_call_uses_the_first_s_cache(root: Path, tmp_path: Path) -> None:
    said: list[str] = []
    first = made(root, tmp_path / "place", said=said)
    assert said == [f"preparing {first.folder}"]
    times = [path.stat().st_mtime_ns for path in sorted(first.folder.iterdir())]
    assert content(made(root, tmp_path / "place", said=said)) == content(first)
    assert [path.stat().st_mtime_ns for path in sorted(first.folder.iterdir())] == times
    assert len(said) == 1
    assert sorted(path.name for path in first.folder.iterdir()) == ["index", "meta.json", "pixels"]


def test_pixels_are_mapped_and_travel_by_name(root: Path, tmp_path: Path) -> None:
    train = made(root, tmp_path / "place").characters("train")
    assert isinstance(train.pixels.base, np.memmap)
    assert not train.pixels.flags.writeable
    some = train.take(np.array([1, 0]))
    sent = pickle.dumps(some)
    assert train.pixels.tobytes()[:40] not in sent
    back: Characters = pickle.loads(sent)
    assert isinstance(back.pixels.base, np.memmap)
    assert [back.image(i).tobytes() for i in range(2)] == [some.image(i).tobytes() for i in range(2)]
    own = Characters.pack([np.full((2, 2), 5, np.uint8)], [0])
    assert pickle.loads(pickle.dumps(own)).image(0).tolist() == [[5, 5], [5, 5]]


def test_order_in_an_archive_does_not_matter(root: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    for name in (TRAIN, TEST):
        write_zip(other / f"{name}.zip", dict(reversed(part(name).items())))
    mine, theirs = made(root, tmp_path / "a"), made(other, tmp_path / "b")
    assert mine.content == theirs.content
    assert mine.characters("train").writers.tolist() == theirs.characters("train").writers.tolist()


def test_changed_sources_are_named_and_prepared_beside_the_old_cache(root: Path, tmp_path: Path) -> None:
    place, said = tmp_path / "place", []
    old = made(root, place)
    before = content(old)
    (root / TRAIN / "1001-c.gnt").write_bytes(record("座", 9, 9))
    new = made(root, place, said=said)
    assert new.folder != old.folder
    assert content(old) == before
    assert new.content != old.content
    assert said[0].startswith(f"{old.folder} is of other sources: {TRAIN}/1001-c.gnt;")


def test_another_version_is_named_and_not_used(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place, said = tmp_path / "place", []
    with monkeypatch.context() as patch:
        patch.setattr("datamodules.cache.prepared.VERSION", 0)
        old = made(root, place)
    new = made(root, place, said=said)
    assert {old.folder, new.folder} == set(place.glob("v*"))
    assert f"{old.folder} is of version 0, not 1" in said[0]


def checked(root: Path, prepared: Prepared) -> list[str]:
    return check(prepared, find_sources(root, PROTOCOL)[0], PROTOCOL)


def test_a_whole_cache_passes_its_check(root: Path, tmp_path: Path) -> None:
    assert checked(root, made(root, tmp_path / "place")) == []


@pytest.mark.parametrize("name", ["pixels", "index"])
def test_a_changed_byte_is_found_with_its_file_and_offset(root: Path, tmp_path: Path, name: str) -> None:
    prepared = made(root, tmp_path / "place")
    damaged = bytearray((prepared.folder / name).read_bytes())
    damaged[-1] ^= 1
    (prepared.folder / name).write_bytes(damaged)
    (problem,) = checked(root, prepared)
    last = {"pixels": 3 * 7 * 4, "index": 3 * 18}[name]  # writer 1240 wrote three characters of 7 × 4 pixels
    start = len(damaged) - last
    assert problem.startswith(f"{prepared.folder / name}: byte {start}: {last} bytes of {TRAIN}/1240-c.gnt")


def test_sources_that_changed_behind_their_times_are_found(root: Path, tmp_path: Path) -> None:
    prepared = made(root, tmp_path / "place")
    file = root / TEST / "1241-c.gnt"
    times = file.stat()
    file.write_bytes(file.read_bytes()[:-1] + b"\x99")
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    (problem,) = checked(root, prepared)
    assert problem.startswith(f"{TEST}/1241-c.gnt: its content is not what")


@pytest.mark.parametrize("name", ["pixels", "index"])
def test_a_cut_cache_is_refused_when_opened(root: Path, tmp_path: Path, name: str) -> None:
    prepared = made(root, tmp_path / "place")
    os.truncate(prepared.folder / name, 10)
    with pytest.raises(DataError, match=f"{name}: byte 10: wanted .* bytes, got 10"):
        made(root, tmp_path / "place").characters("train")


def test_a_damaged_description_is_refused(root: Path, tmp_path: Path) -> None:
    (made(root, tmp_path / "place").folder / "meta.json").write_text("{")
    with pytest.raises(DataError, match=r"meta\.json: byte 0: wanted the description of a cache of version 1"):
        made(root, tmp_path / "place")


def test_bad_records_are_skipped_only_when_asked(root: Path, tmp_path: Path) -> None:
    good, bad = record("啊", 3, 2), record("阿", 4, 4)
    (root / TRAIN / "1002-c.gnt").write_bytes(good + bad[:4] + b"\xff\xff" + bad[6:] + good + b"\0\0")
    with pytest.raises(DataError, match=r"1002-c\.gnt: byte 20: wanted a GBK code.*--skip-bad-records"):
        made(root, tmp_path / "place")
    problems: list[DataError] = []
    prepared = made(root, tmp_path / "place", on_bad=problems.append)
    assert [problem.offset for problem in problems] == [20, 58]
    assert (prepared.count("bad"), prepared.count("count", "train")) == (2, 4 * 3 + 2)
    (line,) = [file for file in prepared.files() if file["bad"]]
    assert line["problems"][1] == "byte 58: wanted a header of 10 bytes, got 2 trailing bytes"
    assert checked(root, prepared) == []


def test_a_damaged_member_of_an_archive_is_skipped_when_asked(root: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    for name in (TRAIN, TEST):
        write_zip(other / f"{name}.zip", part(name))
    path = other / f"{TRAIN}.zip"
    damaged = bytearray(path.read_bytes())
    damaged[damaged.index(b"1003-c.gnt") + 20] ^= 0xFF  # inside the packed bytes of that member
    path.write_bytes(damaged)
    with pytest.raises(DataError, match=r"1003-c\.gnt"):
        made(other, tmp_path / "place")
    problems: list[DataError] = []
    prepared = made(other, tmp_path / "place", on_bad=problems.append)
    assert problems
    assert prepared.count("bad") == len(problems)
    assert {1001, 1002, 1004, 1240} <= set(prepared.characters("train").writers.tolist())
