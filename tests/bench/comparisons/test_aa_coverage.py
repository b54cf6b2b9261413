"""The study of the protocol's intervals: its shares by hand, and a run of it that is short."""

import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

from bench.comparisons import aa_coverage


def run_of(ratio: float, low: float, high: float, noisy: bool = False) -> dict[str, Any]:
    return {"ratio_to_reference": ratio, "ratio_ci": [low, high], "noisy": noisy}


def test_the_worst_share_over_its_goal_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    made = iter(
        [
            run_of(1.0, 0.99, 1.01), run_of(1.0099, 1.0, 1.02), run_of(0.995, 0.99, 1.0), run_of(1.005, 0.99, 1.02),
            run_of(1.02, 1.01, 1.03, noisy=True), run_of(1.0, 0.99, 1.01), run_of(1.0, 0.9, 1.1), run_of(1, 0.9, 1.1),
        ]
    )  # fmt: skip
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(aa_coverage, "time_apart", lambda prepare, characters, *rest: asked.append(rest) or next(made))
    found = aa_coverage.compare(runs=4, rounds=6)
    quiet, busy = found.detail["conditions"]["quiet"], found.detail["conditions"]["busy"]
    assert (quiet["within"], quiet["cover"], quiet["noisy"]) == (1.0, 1.0, 0.0)
    assert (busy["within"], busy["cover"], busy["noisy"]) == (0.75, 0.75, 0.25)
    assert found.value == pytest.approx(0.75 / 0.93)
    assert asked == [(6, seed) for _ in range(2) for seed in range(4)]
    assert (found.detail["n"], found.detail["rounds"]) == (4, 6)


def test_the_neighbour_ends_with_its_condition(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[subprocess.Popen[bytes]] = []
    real = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda *given, **named: made.append(real(*given, **named)) or made[0])
    with aa_coverage._neighbour():
        assert made[0].poll() is None
    assert made[0].returncode is not None


def test_a_short_study_runs_the_protocol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # a measuring lock of its own
    found = aa_coverage.compare(runs=2, rounds=6)
    assert found.value is not None
    assert set(found.detail["conditions"]) == {"quiet", "busy"}
    for shares in found.detail["conditions"].values():
        # How wide the intervals of six rounds are depends on the machine's load.
        assert shares["half_width"] > 0
        assert shares["deviation"] > 0
        assert {shares["within"], shares["cover"], shares["noisy"]} <= {0.0, 0.5, 1.0}
