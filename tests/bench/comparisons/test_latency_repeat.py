"""Repeatability over runs: what is counted, and what it comes to."""

import json
from pathlib import Path

import numpy as np
import pytest

from bench.comparisons import latency_repeat
from bench.comparisons.latency_repeat import repeatability


def run(at: float, noisy: tuple[str, ...] = (), **ratios: float) -> dict[str, object]:
    named = {name.replace("_", " "): value for name, value in ratios.items()}
    return {"at": at, "settings": {}, "ratios": named, "noisy": [name.replace("_", " ") for name in noisy]}


def test_the_spread_of_each_kind_of_latency() -> None:
    runs = [
        run(0, a_in_eager=2.0, a_in_onnxruntime=1.0, b_in_onnxruntime=3.0),
        run(3600, ("b_in_onnxruntime",), a_in_eager=2.2, a_in_onnxruntime=1.0, b_in_onnxruntime=3.3),
        run(7200, ("a_in_eager",), a_in_eager=1.0, a_in_onnxruntime=1.0, b_in_onnxruntime=3.0),
    ]
    found = repeatability(runs)
    step = float(np.log(1.1))
    half_way = float(np.log(1.0) - (np.log(2.0) + np.log(2.2)) / 2)  # from the mean of the calm ones
    assert found.detail["between_runs"] == {
        "eager": pytest.approx(step / np.sqrt(2)), "exported": 0.0,
        "noisy": pytest.approx(np.sqrt((step**2 + half_way**2) / 2)),
    }  # fmt: skip
    assert found.detail["freedom"] == {"eager": 1, "exported": 3, "noisy": 2}
    assert (found.detail["n"], found.detail["hours"], found.detail["noisy"]) == (3, 2.0, pytest.approx(2 / 9))
    assert found.detail["spread"]["a in onnxruntime"] == 1.0
    assert found.value > 1.1


def test_each_call_adds_a_run_and_the_first_two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = {"latency": "1"}
    monkeypatch.setattr(latency_repeat, "_settings", lambda: settings)
    made = iter([2.0, 2.2, 2.1, 3.0, 3.1])
    monkeypatch.setattr(
        latency_repeat, "_measured",
        lambda: {"at": 0.0, "settings": dict(settings), "ratios": {"a in eager": next(made)}, "noisy": []},
    )  # fmt: skip
    assert latency_repeat.compare().detail["n"] == 2
    assert latency_repeat.compare().detail["n"] == 3
    settings["latency"] = "2"  # runs of another protocol no longer count, and are kept
    assert latency_repeat.compare().detail["n"] == 2
    (file,) = Path("runs/latency_repeat").glob("*.json")
    assert len(json.loads(file.read_text())) == 5
