"""bench time: a board's systems are timed here, and their costs are those of the records."""

import json
from pathlib import Path

import pytest
import torch
from fake import tiny_cascade
from fake.records import record, write

from bench.measurements._row import Row
from bench.records.choosing.selection import ChoiceError, Request
from bench.records.record import read_record
from bench.run import time_rows
from bench.run.time_rows import records_to_time, runtimes_to_time, time_system
from tasks.early_exits.cascade import EarlyExits
from tasks.recogniser import load_recogniser


def board(folder: Path) -> Request:
    for name in ("lenet5", "lenet5+paper", "fire:gwap", "fire:gwap+u8-4"):
        found = record(name, 0.9)
        found["measurements"]["latency@onnxruntime"] = {"version": "1", "value": 1e6}
        write(folder / "boards", found)
    return Request(leaderboards=folder / "boards", runs=folder / "runs")


def test_each_architecture_of_the_board_is_timed_once(tmp_path: Path) -> None:
    request = board(tmp_path)
    systems = records_to_time(request, [])
    assert sorted(one["system"].partition("+")[0] for one in systems) == ["fire:gwap", "lenet5"]
    assert [one["system"] for one in records_to_time(request, ["fire:gwap"])] == ["fire:gwap"]
    assert runtimes_to_time(systems, []) == ("eager", "onnxruntime")
    assert runtimes_to_time(systems, ["openvino"]) == ("openvino",)
    with pytest.raises(
        ChoiceError, match=r"--system googlenet: wanted a system of this board .* there are: fire:gwap, "
    ):
        records_to_time(request, ["googlenet"])


def test_times_are_kept_and_never_ranked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def measured(row: Row, runtime: str, names: tuple[str, ...]) -> dict[str, dict[str, object]]:
        calls.append((runtime, tuple(names), row.trained))
        suffix = "" if runtime == "eager" else f"@{runtime}"
        versions = {"latency": "1", "process_bytes": "1"}
        return {f"{name}{suffix}": {"version": versions[name], "value": 1.0} for name in names}

    monkeypatch.setattr(time_rows, "measured_in", measured)
    protocols = {name: type("P", (), {"version": "1"}) for name in ("latency", "process_bytes", "latency@onnxruntime",
                                                                   "process_bytes@onnxruntime")}  # fmt: skip
    monkeypatch.setattr(time_rows, "present_protocols", lambda: protocols)
    request = board(tmp_path)
    (timed,) = records_to_time(request, ["lenet5"])
    for _ in range(2):
        made = time_system(timed, ("eager", "onnxruntime"), request.runs, "bench time", False, lambda text: None)
    both = ("latency", "process_bytes")
    assert calls == [("eager", both, False), ("onnxruntime", both, False)]  # the second time, nothing
    (path,) = (request.runs / "timings").rglob("*.json")
    stored = read_record(path)
    assert stored["weights"] == "random"
    assert stored["dataset"] == json.loads(json.dumps(timed["dataset"]))
    assert set(stored["measurements"]) == set(made["measurements"])


def test_a_cascade_is_timed_at_the_exit_rates_of_its_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = record("fire_cascade", 0.9, suite="compression")
    found["measurements"]["exit_rate"] = {
        "version": "1", "value": 0.75, "leaves_at": {"one": 0.9, "two": 0.8}, "average": True,
        "exits": {"one": {"value": 0.5}, "two": {"value": 0.25}, "last": {"value": 0.25}},
    }  # fmt: skip
    found["dataset"]["classes"] = 5
    monkeypatch.setattr("tasks.building.ARCHITECTURES.load", lambda name: tiny_cascade)
    monkeypatch.setattr("bench.run.profile.ARCHITECTURES.load", lambda name: tiny_cascade)
    row = time_rows._row(found, tmp_path / "weights.safetensors")
    loaded = load_recogniser("fire_cascade", 5, tmp_path / "weights.safetensors")
    images = torch.cat([loaded.preprocess(image) for image in row.characters()])
    with torch.inference_mode():
        _, exits = EarlyExits(loaded.network)(images)
    assert torch.bincount(exits, minlength=3).tolist() == [128, 64, 64]
