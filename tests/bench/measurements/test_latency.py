from pathlib import Path
from types import SimpleNamespace

import pytest
from fake.rows import characters, row

from bench.latency.isolated_process import MeasurementError
from bench.measurements import latency
from bench.measurements._deployment import Deployment, deployed
from bench.plugins import UnknownPlugin
from tasks.architectures import ARCHITECTURES
from tasks.normalised import Normalised


@pytest.fixture(autouse=True)
def own_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HCCR_BENCH_CACHE", str(tmp_path / "cache"))


def lenet(folder: Path, **changed):
    module = ARCHITECTURES.load("lenet5")
    network = Normalised(module.build("", 10, *module.INPUT), module.LAYOUT)
    return row(folder, network, module.INPUT[1], architecture="lenet5", **changed)


def test_latency_of_a_row(tmp_path: Path) -> None:
    measured = latency.measure(lenet(tmp_path))
    assert measured.value is not None
    assert 20_000 < measured.value < 1e9  # nanoseconds: neither microseconds nor seconds
    assert measured.detail["preprocess_ns"] < measured.value
    assert measured.detail["rounds"] >= 10  # more if the machine was busy meanwhile
    assert "value" not in measured.detail


def test_wrong_weights_are_told(tmp_path: Path) -> None:
    with pytest.raises(MeasurementError, match=r"ValueError: .*not the weights of lenet5 with 11 classes"):
        latency.measure(lenet(tmp_path, classes=11))


def test_unknown_runtime_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnknownPlugin, match="unknown runtime 'none'"):
        measured_in(lenet(tmp_path), "none")


def measured_in(row, runtime: str):
    with deployed(row, runtime) as deployment:
        return latency.measure_in(deployment)


def test_a_runtime_is_compared_with_eager_and_then_timed(tmp_path: Path) -> None:
    measured = measured_in(lenet(tmp_path), "onnxruntime")
    assert 20_000 < measured.value < 1e9
    assert measured.detail["agreement"] == 1
    assert 0 < measured.detail["largest_difference"] < 0.01  # grey levels of the resize differ by up to two
    assert measured.detail["compared"] == 256
    assert "error" not in measured.detail


@pytest.mark.parametrize("trained", [True, False])
def test_a_runtime_that_answers_otherwise_is_an_error_of_trained_weights_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trained: bool
) -> None:
    compared = {"agreement": 0.75, "largest_difference": 0.5, "compared": 256}
    monkeypatch.setattr(Deployment, "agreement", compared)
    monkeypatch.setattr(Deployment, "prepare", None)
    monkeypatch.setattr(latency, "time_apart", lambda *given, **named: {"value": 1.0})
    measured = measured_in(lenet(tmp_path, trained=trained), "openvino-int8")
    assert {name: measured.detail[name] for name in compared} == compared
    assert measured.value == (None if trained else 1.0)
    assert ("error" in measured.detail) is trained


def test_too_few_characters_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="wanted 16 validation characters or more, the split has 15"):
        latency.measure(lenet(tmp_path, datamodule=SimpleNamespace(val=characters(15))))


@pytest.mark.parametrize(("there", "timed"), [(16, 16), (255, 255), (256, 256), (700, 256)])
def test_as_many_characters_are_timed_as_there_are_up_to_256(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: int, timed: int
) -> None:
    given = []
    monkeypatch.setattr(latency, "time_apart", lambda prepare, *rest, **named: given.append(rest[0]) or {"value": 1.0})
    val = characters(there)
    measured = latency.measure(lenet(tmp_path, datamodule=SimpleNamespace(val=val)))
    assert measured.detail["characters"] == len(given[0]) == timed
    for index, origin in ((0, 0), (timed - 1, there - 1)):  # spread over the whole split
        assert (given[0].image(index) == val.image(origin)).all()
