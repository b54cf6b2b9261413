"""``bench run`` as a user meets it: records, boards, exit codes and one JSON document."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fake.image_folder import write_folder
from fake.plugins import offer
from fake.records import record, write
from fake.wandb_files import read_runs

from bench.measurements import latency, macs
from bench.plugins import SUITES
from bench.records.record import Measurement, read_record
from bench.run import row
from bench.suites._base import Scale, Suite

Bench = Callable[[str], tuple[int, str, str]]


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """``bench run`` on a tiny suite and data, with others' plug-ins installed and a stopwatch that is quick."""
    figures = ("accuracy", "macs", "params", "size_bytes", "latency")
    scale = Scale(("acme_tiny",), None, None, share=1 / 40, share_own=1 / 40, rounds=10)  # one epoch
    suites = {"tiny": Suite("Tiny", "image_folder", figures, {"quick": scale, "smoke": scale})}
    real = SUITES.load
    monkeypatch.setattr(
        SUITES, "load", lambda name: SimpleNamespace(SUITE=suites[name]) if name in suites else real(name)
    )
    offer(tmp_path / "acme", monkeypatch)
    write_folder(tmp_path / "strokes", train=390, test=10)
    shown = {
        "value": 1e6,
        "n": 10,
        "q25": 1e6,
        "q75": 1e6,
        "p90": 1e6,
        "ratio_to_reference": 2.0,
        "ratio_ci": [1.9, 2.1],
    }
    monkeypatch.setattr(latency, "time_apart", lambda *arguments, **named: dict(shown))
    return "run --suite tiny --dataset image_folder --data-root strokes --out out --accelerator cpu"


def test_a_run_makes_records_boards_and_one_document(bench: Bench, own: str, tmp_path: Path) -> None:
    code, out, err = bench(f"{own} --system acme_chatty --system lenet5 --json")
    document = json.loads(out)  # though the network prints
    assert code == 0
    assert [made["system"] for made in document["records"]] == ["acme_chatty", "lenet5"]
    assert {made["status"] for made in document["records"]} == {"whole"}
    assert "a network prints" in err
    stored = sorted((tmp_path / "out" / "results" / "tiny" / "strokes").glob("*.json"))
    assert [read_record(path) for path in stored] == document["records"]
    assert all(Path(board).read_text(encoding="utf-8") for board in document["boards"])
    assert document["boards"]
    before = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert bench(f"{own} --system acme_chatty --system lenet5")[0] == 0
    assert {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()} == before
    assert bench("render --check --out out")[0] == 0


def test_a_failed_row_exits_1_and_the_others_are_there(bench: Bench, own: str) -> None:
    code, out, err = bench(f"{own} --system acme_build --system acme_tiny --json")
    first, second = json.loads(out)["records"]
    assert (code, first["status"], second["status"]) == (1, "failed", "whole")
    assert "acme_build failed: ArithmeticError: no such layer" in err


def test_a_failed_measurement_exits_1(bench: Bench, own: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: Any, **named: Any) -> Any:
        raise ArithmeticError("no clock")

    monkeypatch.setattr(latency, "time_apart", broken)
    code, out, err = bench(f"{own} --json")
    (made,) = json.loads(out)["records"]
    assert (code, made["status"]) == (1, "partial")
    assert "acme_tiny, latency: ArithmeticError: no clock" in err


def test_an_operator_that_no_one_can_count_exits_1_and_is_named(
    bench: Bench, own: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(macs, "measure", lambda row: Measurement(None, {"incomplete": ["acme::fold"]}))
    for _ in range(2):  # the second run keeps the row, and says it again
        code, out, err = bench(f"{own} --json")
        (made,) = json.loads(out)["records"]
        assert (code, made["status"]) == (1, "partial")
        assert "acme_tiny, macs: incomplete, no known cost: acme::fold" in err


def test_damage_among_the_results_exits_1(bench: Bench, own: str, tmp_path: Path) -> None:
    write(tmp_path / "out", record("lenet5"))
    (damaged,) = (tmp_path / "out" / "results").rglob("*.json")
    damaged.write_text("{")
    code, _, err = bench(own)
    assert code == 1
    assert damaged.name in err
    assert damaged.read_text() == "{"


def test_an_interrupt_exits_130_with_boards_of_what_is_finished(
    bench: Bench, own: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = row.train

    def train(architecture: str, *rest: Any) -> Any:
        if architecture == "lenet5":
            raise KeyboardInterrupt
        return real(architecture, *rest)

    monkeypatch.setattr(row, "train", train)
    code, out, err = bench(f"{own} --system acme_tiny --system lenet5 --json")
    assert (code, out) == (130, "")
    assert "finished rows are kept, and the same command without --fresh continues" in err
    assert len(list((tmp_path / "out" / "results").rglob("*.json"))) == 1
    assert list((tmp_path / "out").glob("*.md"))


def test_wandb_runs_end_with_the_interrupt_and_are_not_made_again_for_kept_rows(
    bench: Bench, own: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def train(*arguments: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(row, "train", train)
        assert bench(f"{own} --wandb offline")[0] == 130
    assert {name: run["exit"] for name, run in read_runs(tmp_path / "runs").items()} == {"acme_tiny": 130}
    assert bench(f"{own} --wandb offline")[0] == 0
    made = sorted((tmp_path / "runs").rglob("run-*.wandb"))
    assert len(made) == 3  # interrupted, row and board
    assert bench(f"{own} --wandb offline")[0] == 0
    assert sorted((tmp_path / "runs").rglob("run-*.wandb")) == made


def test_a_dry_run_runs_nothing(bench: Bench, own: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row, "train", lambda *arguments: pytest.fail("trained"))
    before = sorted(tmp_path.rglob("*"))
    code, out, _ = bench(f"{own} --system acme_tiny --system lenet5 --seeds 2 --dry-run --json")
    document = json.loads(out)
    assert code == 0
    assert [(row["system"], row["seed"]) for row in document["rows"]] == [
        ("acme_tiny", 0), ("acme_tiny", 1), ("lenet5", 0), ("lenet5", 1),
    ]  # fmt: skip
    assert document["rows"][0]["macs"] == 25 * 36 * 8 + 288 * 2
    assert document["seconds"] == pytest.approx(sum(row["seconds"] for row in document["rows"]))
    assert sorted(path for path in tmp_path.rglob("*") if "__pycache__" not in path.parts) == before


def test_a_dry_run_tells_which_rows_would_fail(bench: Bench, own: str) -> None:
    code, out, _ = bench(f"{own} --system acme_build --system lenet5 --dry-run")
    assert code == 1
    assert "acme_build" in out
    assert "fails: ArithmeticError: no such layer" in out
    assert "lenet5" in out


def test_an_eager_runtime_is_timed_once(bench: Bench, own: str) -> None:
    (made,) = json.loads(bench(f"{own} --runtime eager --json")[1])["records"]
    assert [name for name in made["measurements"] if name.startswith("latency")] == ["latency"]


def test_records_state_the_command(bench: Bench, own: str, tmp_path: Path) -> None:
    command = own.replace("--data-root strokes", f"--data-root {tmp_path}/strokes")
    (made,) = json.loads(bench(f"{command} --json")[1])["records"]
    assert made["command"] == f"bench {own} --json"
    assert str(tmp_path) not in json.dumps(made)
