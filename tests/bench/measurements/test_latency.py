from pathlib import Path
from types import SimpleNamespace

import pytest
from fake.rows import characters, row

from bench.measurements import latency
from bench.timing import MeasurementError
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
    assert measured.detail["rounds"] == 10
    assert "value" not in measured.detail


def test_wrong_weights_are_told(tmp_path: Path) -> None:
    with pytest.raises(MeasurementError, match=r"ValueError: .*not the weights of lenet5 with 11 classes"):
        latency.measure(lenet(tmp_path, classes=11))


def test_unknown_runtime_is_told(tmp_path: Path) -> None:
    with pytest.raises(MeasurementError, match="UnknownPlugin: unknown runtime 'none'"):
        latency.measure_runtime(lenet(tmp_path), "none")


def test_too_few_characters_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="wanted 16 validation characters or more, the split has 15"):
        latency.measure(lenet(tmp_path, datamodule=SimpleNamespace(val=characters(15))))


@pytest.mark.parametrize(("there", "timed"), [(16, 16), (255, 255), (256, 256), (700, 256)])
def test_as_many_characters_are_timed_as_there_are_up_to_256(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: int, timed: int
) -> None:
    given = []
    monkeypatch.setattr(latency, "time_apart", lambda prepare, *rest: given.append(rest[0]) or {"value": 1.0})
    val = characters(there)
    measured = latency.measure(lenet(tmp_path, datamodule=SimpleNamespace(val=val)))
    assert measured.detail["characters"] == len(given[0]) == timed
    for index, origin in ((0, 0), (timed - 1, there - 1)):  # spread over the whole split
        assert (given[0].image(index) == val.image(origin)).all()
