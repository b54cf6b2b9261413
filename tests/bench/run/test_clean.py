"""What ``bench clean`` lists, removes and keeps: rows, exported files, temporary files and caches."""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fake.prepared import made, write_parts
from fake.records import record, write

from datamodules import synthetic_hwdb
from datamodules.cache.packer import VERSION
from datamodules.cache.prepared import _lock
from datamodules.synthetic import glyphs

Bench = Callable[[str], tuple[int, str, str]]
ROWS = Path("runs/hccr/synthetic_hwdb/quick")
DEAD = 2**22 + 1  # above the largest process id of Linux


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HCCR_BENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def clean(bench: Bench) -> Callable[..., dict[str, Any]]:
    def run(options: str = "") -> dict[str, Any]:
        code, out, err = bench(f"clean --json {options}")
        assert (code, err) == (0, "")
        document: dict[str, Any] = json.loads(out)
        return document

    return run


def put(path: Path, content: bytes = b"12345") -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return hashlib.sha256(content).hexdigest()


def put_row(name: str, trained: bool = True) -> str:
    """A row's folder as a run leaves it; gives the SHA-256 of its weights, which depend on the name."""
    for file in ("begun.json", *(["trained.json", "predictions.npz"] if trained else ["last.ckpt"])):
        put(ROWS / name / file)
    return put(ROWS / name / "weights.safetensors", name.encode()) if trained else ""


def removable(document: dict[str, Any]) -> dict[str, str]:
    return {file["path"]: file["why"] for file in document["files"]}


def folders(document: dict[str, Any]) -> set[str]:
    return {Path(path).parent.name for path in removable(document)}


def test_without_runs_there_is_nothing_to_clean(bench: Bench) -> None:
    assert bench("clean") == (0, "nothing to clean\n", "")
    assert bench("clean --yes") == (0, "nothing to clean\n", "")


def test_rows_without_a_record_go_and_others_stay(bench: Bench, clean: Callable[..., dict[str, Any]]) -> None:
    boards = Path("leaderboards")
    write(boards, record("lenet5", checkpoint_sha256=put_row("lenet5-s0")))
    put_row("googlenet-s0")
    write(boards, record("googlenet", checkpoint_sha256="of other weights"))
    child = record(
        "fire+u8", checkpoint_sha256="there no longer", parent={"checkpoint_sha256": put_row("fire--gwap-s0")}
    )
    write(boards, child)
    write(Path("runs/smoke"), record("squeezenet", checkpoint_sha256=put_row("squeezenet-s1"), seed=1))
    put_row("mobilenet_v2-s0")
    listed = clean()
    assert folders(listed) == {"googlenet-s0", "mobilenet_v2-s0"}
    why = removable(listed)
    assert why[str(ROWS / "googlenet-s0/weights.safetensors")] == "its weights are not those of its record"
    assert why[str(ROWS / "mobilenet_v2-s0/trained.json")] == "no record names this row"
    assert listed["bytes"] == 3 * 5 + len("googlenet-s0") + 3 * 5 + len("mobilenet_v2-s0")
    assert not listed["removed"]
    code, out, _ = bench("clean")
    assert code == 0
    assert "8 files, 0.00 MB that none of 4 records needs; nothing is removed yet: add --yes" in out
    assert (ROWS / "googlenet-s0/trained.json").exists()
    assert clean("--yes") == {**listed, "removed": True}
    assert {path.name for path in ROWS.iterdir()} == {"lenet5-s0", "fire--gwap-s0", "squeezenet-s1"}
    assert clean()["files"] == []


def test_another_folder_of_records_is_named(bench: Bench, clean: Callable[..., dict[str, Any]]) -> None:
    write(Path("mine"), record("lenet5", checkpoint_sha256=put_row("lenet5-s0")))
    assert folders(clean()) == {"lenet5-s0"}
    assert clean("--out mine")["files"] == []
    code, _, err = bench("clean --out nowhere")
    assert code == 2
    assert "wanted a folder that holds results/" in err


def test_an_exported_file_stays_if_a_figure_was_measured_on_it(clean: Callable[..., dict[str, Any]]) -> None:
    found = record("lenet5", checkpoint_sha256=put_row("lenet5-s0"))
    exported = ROWS / "lenet5-s0/exported"
    timed = put(exported / "onnxruntime/recogniser.onnx", b"timed")
    put(exported / "onnxruntime/agreement.json")
    put(exported / "openvino/recogniser.zip", b"of an interrupted run")
    put(exported / "openvino/notes.txt")
    found["measurements"]["latency@onnxruntime"] = {**found["measurements"]["latency"], "file_sha256": timed}
    write(Path("leaderboards"), found)
    document = clean("--yes")
    assert set(removable(document)) == {str(exported / "openvino/recogniser.zip")}
    assert document["kept"] == [{"path": str(exported / "openvino/notes.txt"), "why": "the suite did not write it"}]
    assert (exported / "onnxruntime/agreement.json").exists()


def test_unfinished_trainings_stay_unless_named(clean: Callable[..., dict[str, Any]]) -> None:
    put_row("lenet5-s0", trained=False)
    write(Path("leaderboards"), record("googlenet", checkpoint_sha256=None, status="failed"))
    put_row("googlenet-s0")  # its record failed before it used them
    document = clean()
    assert document["files"] == []
    assert [kept["path"] for kept in document["kept"]] == [str(ROWS / "googlenet-s0"), str(ROWS / "lenet5-s0")]
    assert folders(clean("--unfinished --yes")) == {"lenet5-s0", "googlenet-s0"}
    assert not ROWS.exists()


def test_a_damaged_record_keeps_its_suite_and_dataset(clean: Callable[..., dict[str, Any]]) -> None:
    put_row("lenet5-s0")
    put(ROWS / "lenet5-s0" / f".curve.json.{DEAD}.partial")
    other = Path("runs/shui/shui/quick/lenet5-s0/trained.json")
    put(other)
    put(Path("leaderboards/results/hccr/synthetic_hwdb/lenet5@cpu-2c-quick-s0.json"), b"{")
    document = clean("--yes")
    assert set(removable(document)) == {str(other)}
    assert [kept["path"] for kept in document["kept"]] == ["runs/hccr/synthetic_hwdb"]
    assert "not a readable record" in document["kept"][0]["why"]


def test_temporary_files_go_once_their_process_has_ended(clean: Callable[..., dict[str, Any]], cache: Path) -> None:
    write(Path("leaderboards"), record("lenet5", checkpoint_sha256=put_row("lenet5-s0")))
    left = [ROWS / f"lenet5-s0/.last.ckpt.{DEAD}.partial", cache / f"cifar/.cifar.tar.gz.{DEAD}.partial"]
    written, logged = ROWS / f"lenet5-s0/.last.ckpt.{os.getpid()}.partial", Path(f"runs/wandb/.x.{DEAD}.partial")
    for path in (*left, written, logged):
        put(path)
    assert set(removable(clean("--yes"))) == set(map(str, left))
    assert written.exists()
    assert logged.exists()


def test_nothing_of_others_and_nothing_behind_a_link_is_removed(
    clean: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    put_row("lenet5-s0")
    outside = tmp_path / "outside"
    put(outside / "onnxruntime/recogniser.onnx")
    put(outside / "trained.json")
    put(ROWS / "lenet5-s0/thesis.txt")
    (ROWS / "lenet5-s0/exported").symlink_to(outside)
    (ROWS / "lenet5-s0/curve.json").symlink_to(outside / "trained.json")
    (ROWS / "googlenet-s0").symlink_to(outside)
    put(Path("runs/timings/hccr/synthetic_hwdb/lenet5@cpu-2c-quick-s0.json"))
    put(ROWS / "own-s0/weights.safetensors")  # no run made this folder
    document = clean("--yes")
    assert folders(document) == {"lenet5-s0"}
    assert {Path(kept["path"]).name for kept in document["kept"]} == {"exported", "curve.json", "thesis.txt"}
    assert {path.name for path in (ROWS / "lenet5-s0").iterdir()} == {"exported", "curve.json", "thesis.txt"}
    assert (outside / "onnxruntime/recogniser.onnx").exists()
    assert (outside / "trained.json").exists()
    assert Path("runs/timings/hccr/synthetic_hwdb/lenet5@cpu-2c-quick-s0.json").exists()
    assert (ROWS / "own-s0/weights.safetensors").exists()


def test_caches_go_if_their_source_is_gone_or_changed(
    clean: Callable[..., dict[str, Any]], cache: Path, tmp_path: Path
) -> None:
    place = cache / "prepared/casia_hwdb"
    first, second = (made(write_parts(tmp_path / name), place).folder for name in ("a", "b"))
    assert clean()["files"] == []
    gone = next((tmp_path / "a").rglob("*.gnt"))
    gone.unlink()
    changed = next((tmp_path / "b").rglob("*.gnt"))
    changed.write_bytes(changed.read_bytes() + b"more")
    listed = removable(clean("--yes"))
    assert set(map(Path, listed)) == {f / name for f in (first, second) for name in ("index", "meta.json", "pixels")}
    assert listed[str(first / "pixels")] == f"its source {gone} is gone"
    assert listed[str(second / "pixels")] == f"its source {changed} has changed"
    assert not first.exists()


def test_caches_of_an_older_format_or_code_go(clean: Callable[..., dict[str, Any]], cache: Path) -> None:
    place, key = cache / "prepared/casia_hwdb", "0123456789ab"
    for name in (f"v{VERSION - 1}-{key}", f"v{VERSION + 1}-{key}", f"v{VERSION}-{key}.partial"):
        put(place / name / "pixels")
    old = cache / "synthetic_hwdb/2-01234567-89abcdef"
    put(old / "s0001.gnt")
    put(synthetic_hwdb.writers_folder("一丁") / "s0001.gnt")
    put(cache / "synthetic_shui/2-89abcdef/s0001.npy")
    document = clean()
    assert {path.rpartition("/")[2]: Path(path).parent.name for path in removable(document)} == {
        "pixels": f"v{VERSION - 1}-{key}", "s0001.gnt": old.name, "s0001.npy": "2-89abcdef"
    }  # fmt: skip
    assert {Path(kept["path"]).name for kept in document["kept"]} == {
        f"v{VERSION + 1}-{key}",
        f"v{VERSION}-{key}.partial",
    }
    assert f"v{VERSION}-{key}.partial" in folders(clean("--unfinished"))
    with _lock(place, f"v{VERSION}-{key}", print):  # as a process that packs it holds it
        assert f"v{VERSION}-{key}.partial" not in folders(clean("--unfinished"))


def test_a_cache_that_does_not_say_where_its_sources_were_stays(
    clean: Callable[..., dict[str, Any]], cache: Path, tmp_path: Path
) -> None:
    folder = made(write_parts(tmp_path / "a"), cache / "prepared/casia_hwdb").folder
    meta = json.loads((folder / "meta.json").read_text())
    del meta["paths"]
    (folder / "meta.json").write_text(json.dumps(meta))
    document = clean()
    assert document["files"] == []
    assert [kept["path"] for kept in document["kept"]] == [str(folder)]
    (folder / "meta.json").write_text("{")
    assert folders(clean()) == {folder.name}


def test_strokes_and_writers_of_other_code_go(clean: Callable[..., dict[str, Any]], cache: Path) -> None:
    current = cache / f"glyphs/0123456789abcdef-{glyphs.traced_by()}.npz"
    put(current)
    put(cache / "glyphs/0123456789abcdef-00000000.npz")
    drawn = cache / f"synthetic_hwdb/2-01234567-{synthetic_hwdb.drawn_by()}-89abcdef/s0001.gnt"
    put(drawn)
    put(cache / "synthetic_hwdb/2-01234567-00000000-89abcdef/s0001.gnt")
    clean("--yes")
    assert sorted(path for path in cache.rglob("*") if path.is_file()) == sorted([current, drawn])
