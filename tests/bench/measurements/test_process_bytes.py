"""Memory of a fresh process: a runtime without torch holds far less than eager, and failures are told."""

from functools import partial
from pathlib import Path
from typing import NoReturn

import pytest
from fake.rows import row

from bench.latency.isolated_process import MeasurementError
from bench.measurements import _memory_probe, process_bytes
from bench.measurements._deployment import deployed
from bench.run.measure import figure
from tasks.architectures import ARCHITECTURES
from tasks.normalised import Normalised

pytestmark = pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="only Linux says it")


def lenet(folder: Path, **changed):
    module = ARCHITECTURES.load("lenet5")
    return row(
        folder, Normalised(module.build("", 10, *module.INPUT)), module.INPUT[1], architecture="lenet5", **changed
    )


def test_a_runtime_without_torch_holds_less(tmp_path: Path) -> None:
    made = lenet(tmp_path)
    eager = process_bytes.measure(made)
    with deployed(made, "onnxruntime") as deployment:
        other = process_bytes.measure_in(deployment)
    for found in (eager, other):
        assert 10e6 < found.detail["own"] <= found.value <= found.detail["resident"] < 10e9
    assert other.detail["resident"] < 150e6 < eager.detail["resident"]


def test_where_the_system_does_not_report_it_the_record_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_memory_probe, "SMAPS", tmp_path / "none")
    with pytest.raises(OSError, match="this system does not report"):
        _memory_probe.memory_in_use()
    answer = "OSError: this system does not report it"
    monkeypatch.setattr(process_bytes, "_probe", lambda _: raised(MeasurementError(answer)))
    found = figure(process_bytes, partial(process_bytes.measure, lenet(tmp_path)))
    assert (found["value"], found["error"]) == (None, f"MeasurementError: {answer}")


def raised(error: Exception) -> NoReturn:
    raise error


def test_a_process_that_fails_is_told(tmp_path: Path) -> None:
    with pytest.raises(MeasurementError, match="not the weights of lenet5 with 11 classes"):
        process_bytes.measure(lenet(tmp_path, classes=11))


def test_a_process_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_bytes, "_LIMIT_S", 0.01)
    with pytest.raises(MeasurementError, match=r"no answer within 0\.01 s"):
        process_bytes.measure(lenet(tmp_path))
