"""Weights & Biases beside the records: everything arrives, and nothing depends on it."""

import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fake.records import record
from fake.wandb_files import read_runs

from bench.boards.summary import summary
from bench.run.trackers.wandb_tracker import WandbTracker
from bench.training.events import Event


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What a run of two rows, one of which fails, leaves on disk."""
    folder = tmp_path_factory.mktemp("runs")
    picture = folder / "board.svg"
    picture.write_text("<svg>points</svg>")
    good, bad = record("lenet5", accuracy=0.75), record("fire:gap", status="failed", error="ValueError: x")
    bad["measurements"] = {}
    warned: list[str] = []
    tracker = WandbTracker("offline", folder, "hccr-synthetic-quick", warned.append)
    for made, points in ((good, 3), (bad, 1)):  # all rows train before the first is timed and closed
        tracker(Event("training", record=made))
        for epoch in range(1, points + 1):
            scores = {"val_accuracy": epoch / 4 if made is good else 0.5}
            tracker(Event("epoch", record=made, done=epoch, epochs=points, scores=scores))
    for made in (good, bad):
        tracker(Event("recorded", record=made))
    tracker.board(summary([good, bad]), picture)
    assert warned == []
    return read_runs(folder)


def test_there_is_a_run_for_each_row_and_one_for_the_board(written: dict[str, dict[str, Any]]) -> None:
    assert set(written) == {"lenet5", "fire:gap", "leaderboard"}
    assert {run["group"] for run in written.values()} == {"hccr-synthetic-quick"}


def test_a_row_has_its_own_configuration_curve_and_record(written: dict[str, dict[str, Any]]) -> None:
    made = record("lenet5", accuracy=0.75)
    run = written["lenet5"]
    for key in ("suite", "scale", "dataset", "system", "seed", "recipe", "machine", "versions", "commit"):
        assert run["config"][key] == made[key]
    assert [(point["epoch"], point["val_accuracy"]) for point in run["history"]] == [(1, 0.25), (2, 0.5), (3, 0.75)]
    assert run["summary"]["accuracy"] == 0.75
    assert run["summary"]["record"] == made
    assert run["exit"] == 0


def test_a_failed_row_says_so(written: dict[str, dict[str, Any]]) -> None:
    run = written["fire:gap"]
    assert [point["val_accuracy"] for point in run["history"]] == [0.5]
    assert run["summary"]["record"]["error"] == "ValueError: x"
    assert run["exit"] == 1


def test_the_board_is_a_table_and_a_picture(written: dict[str, dict[str, Any]]) -> None:
    run = written["leaderboard"]
    (point,) = run["history"]
    assert point["leaderboard"]["_type"] == "table-file"
    assert (point["leaderboard"]["nrows"], point["leaderboard"]["ncols"]) == (2, len(summary([record()])[0]))
    files = run["path"].parent / "files"
    table = (files / point["leaderboard"]["path"]).read_text(encoding="utf-8")
    assert "lenet5" in table
    assert "fire:gap" in table
    picture = (files / point["accuracy against latency"]["path"]).read_text(encoding="utf-8")
    assert "<svg>points</svg>" in picture


def test_no_host_name_is_written(written: dict[str, dict[str, Any]]) -> None:
    for run in written.values():
        assert run["host"] != socket.gethostname()
        assert not run["host"]


def test_a_row_that_was_trained_before_is_tracked_when_it_is_measured(tmp_path: Path) -> None:
    tracker = WandbTracker("offline", tmp_path, "group", pytest.fail)
    tracker(Event("recorded", record=record("lenet5")))
    assert read_runs(tmp_path)["lenet5"]["summary"]["record"] == record("lenet5")


def test_rows_that_an_interrupt_leaves_open_are_closed(tmp_path: Path) -> None:
    tracker = WandbTracker("offline", tmp_path, "group", pytest.fail)
    for system in ("lenet5", "fire:gap"):
        tracker(Event("training", record=record(system)))
    tracker(Event("recorded", record=record("lenet5")))
    tracker.close()
    assert {name: run["exit"] for name, run in read_runs(tmp_path).items()} == {"lenet5": 0, "fire:gap": 130}
    assert tracker.runs == {}


def test_a_command_without_a_new_row_tracks_no_board(tmp_path: Path) -> None:
    tracker = WandbTracker("offline", tmp_path, "group", pytest.fail)
    tracker(Event("recorded", record=record(), kept=True))
    tracker.board(summary([record()]), None)
    tracker.close()
    assert read_runs(tmp_path) == {}


@pytest.mark.parametrize("fails", ["init", "log"])
def test_its_failing_is_said_once_and_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    import wandb

    class Broken:
        def log(self, scores: dict[str, float]) -> None:
            raise wandb.errors.CommError("server is down")

    def init(**settings: Any) -> Broken:
        if fails == "init":
            raise wandb.errors.UsageError("no API key")
        return Broken()

    monkeypatch.setattr(wandb, "init", init)
    said: list[str] = []
    tracker = WandbTracker("online", tmp_path, "group", said.append)
    tracker(Event("training", record=record()))
    tracker(Event("epoch", record=record(), done=1, epochs=1, scores={"val_accuracy": 1.0}))
    tracker(Event("recorded", record=record()))
    tracker.board((["system"], [["lenet5"]]), None)
    reason = "UsageError: no API key" if fails == "init" else "CommError: server is down"
    assert said == [f"W&B stopped ({reason}); the run continues without it"]


def test_importing_the_tracker_imports_no_wandb() -> None:
    script = "import sys, bench.run.trackers.wandb_tracker; sys.exit('wandb' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], timeout=120).returncode == 0
