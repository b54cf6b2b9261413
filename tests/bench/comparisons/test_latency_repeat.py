"""Repeatability over runs: what is counted, and what it comes to."""

import json
from pathlib import Path

import numpy as np
import pytest

from bench.comparisons import latency_repeat
from bench.comparisons.latency_repeat import repeatability


def run(at: float, **ratios: float) -> dict[str, object]:
    return {"at": at, "settings": {}, "ratios": {name.replace("_", " "): value for name, value in ratios.items()}}


def test_the_spread_of_each_kind_of_runtime() -> None:
    found = repeatability(
        [run(0, a_in_eager=2.0, a_in_onnxruntime=1.0), run(7200, a_in_eager=2.2, a_in_onnxruntime=1.0)]
    )
    deviation = float(np.log(1.1) / np.sqrt(2))  # of two values
    assert found.detail["between_runs"] == {"eager": pytest.approx(deviation), "exported": 0.0}
    assert found.detail["spread"]["a in eager"] == pytest.approx(np.exp(deviation))
    assert (found.detail["n"], found.detail["hours"], found.detail["freedom"]) == (2, 2.0, 1)
    assert 1.0 <= found.value <= np.sqrt(1.1) + 1e-9  # each lies that far from the mean


def test_each_call_adds_a_run_and_the_first_two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = {"latency": "1"}
    monkeypatch.setattr(latency_repeat, "_settings", lambda: settings)
    made = iter([2.0, 2.2, 2.1, 3.0, 3.1])
    monkeypatch.setattr(
        latency_repeat, "_measured",
        lambda: {"at": 0.0, "settings": dict(settings), "ratios": {"a in eager": next(made)}},
    )  # fmt: skip
    assert latency_repeat.compare().detail["n"] == 2
    assert latency_repeat.compare().detail["n"] == 3
    settings["latency"] = "2"  # runs of another protocol no longer count, and are kept
    assert latency_repeat.compare().detail["n"] == 2
    (file,) = Path("runs/latency_repeat").glob("*.json")
    assert len(json.loads(file.read_text())) == 5
