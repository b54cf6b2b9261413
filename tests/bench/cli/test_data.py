"""``bench data prepare``: the command, its answers and exit codes."""

import json
import re
from pathlib import Path

import pytest
from fake.gnt import part, record, write_files, write_zips

from bench.__main__ import main

TRAIN, TEST = "HWDB1.1trn_gnt", "HWDB1.1tst_gnt"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HCCR_BENCH_CACHE", str(tmp_path / "cache"))
    for name in (TRAIN, TEST):
        write_files(tmp_path / "data" / name, part(name))
    return tmp_path / "data"


def bench(capsys: pytest.CaptureFixture[str], root: Path, *flags: str) -> tuple[int, str, str]:
    code = main(["data", "prepare", "casia_hwdb", "--data-root", str(root), *flags])
    out, err = capsys.readouterr()
    return code, out, err


def test_it_prepares_once_and_says_what_it_found(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = bench(capsys, root)
    assert code == 0
    assert "train: 15 characters; 0 other symbols dropped, 0 bad records left out" in out
    assert "test: 6 characters" in out
    assert "preparing " in err
    assert "casia_hwdb: Holds 15 train characters; 897,758 are published." in err
    code, out, err = bench(capsys, root, "--json")
    document = json.loads(out)
    assert "preparing" not in err
    assert document["train"] == {"characters": 15, "other_symbols": 0, "bad": 0}
    assert Path(document["cache"], "meta.json").is_file()


def test_check_tells_whole_from_damaged_and_missing(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = bench(capsys, root, "--check")
    assert code == 1
    assert "no cache of the current files" in out
    bench(capsys, root)
    code, out, _ = bench(capsys, root, "--check")
    assert (code, out) == (0, "casia_hwdb: the cache is whole and agrees with its sources\n")
    (pixels,) = root.parent.glob("cache/prepared/casia_hwdb/v*/pixels")
    pixels.write_bytes(b"\1" + pixels.read_bytes()[1:])
    code, out, _ = bench(capsys, root, "--check", "--json")
    assert code == 1
    assert f"{pixels}: byte 0" in json.loads(out)["problems"][0]


def test_bad_records_stop_it_unless_skipped(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = root / TRAIN / "1001-c.gnt"
    file.write_bytes(record("啊", 3, 2) + b"\0\0\0")
    code, _, err = bench(capsys, root)
    assert code == 2
    assert "1001-c.gnt: byte 16: wanted a header of 10 bytes, got 3 trailing bytes" in err
    assert "--skip-bad-records" in err
    code, out, _ = bench(capsys, root, "--skip-bad-records")
    assert code == 0
    assert "1001-c.gnt: byte 16" in out
    assert "train: 13 characters; 0 other symbols dropped, 1 bad records left out" in out
    code, out, err = bench(capsys, root)  # the cache is there, and still says so
    assert code == 0
    assert "1 bad records were left out." in err


def test_the_other_protocol_names_what_it_lacks(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "prepare", "icdar2013", "--data-root", str(root)]) == 2
    assert "wanted HWDB1.0trn_gnt.zip, packed or unpacked, of the train part" in capsys.readouterr().err
    assert main(["data", "prepare", "icdar2013", "--data-root", str(write_zips(root.parent / "all"))]) == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("synthetic_hwdb --data-root x", "takes no --data-root"),
        ("synthetic_to_real --data-root x", "needs no preparing"),
        ("mnist --data-root x", "Known: casia_hwdb, .*icdar2013"),
    ],
)
def test_other_datasets_are_refused(arguments: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "prepare", *arguments.split()]) == 2
    assert re.search(says, capsys.readouterr().err)
