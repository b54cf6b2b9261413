"""A row in a runtime: exported and compared once, and taken from its folder from then on."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from fake.rows import characters, row

from bench.latency.isolated_process import MeasurementError
from bench.measurements import _deployment as deployment
from bench.measurements._deployment import Deployment
from tasks.architectures import ARCHITECTURES
from tasks.normalised import Normalised


def lenet(folder: Path, **changed):
    module = ARCHITECTURES.load("lenet5")
    network = Normalised(module.build("", 10, *module.INPUT))
    return row(folder, network, module.INPUT[1], architecture="lenet5", **changed)


def test_what_was_exported_and_compared_is_not_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = lenet(tmp_path)
    first = Deployment(made, "onnxruntime", tmp_path)
    compared, exported = first.agreement, first.file.read_bytes()
    assert compared["compared"] == len(made.characters(1000))
    monkeypatch.setattr(deployment, "run_apart", None)  # no process is started any more
    second = Deployment(made, "onnxruntime", tmp_path)
    assert (second.agreement, second.file.read_bytes()) == (compared, exported)
    image = second.characters.image(0)
    assert second.prepare()()(image).shape == (10,)


def test_an_export_that_failed_leaves_nothing_and_is_told_again(tmp_path: Path) -> None:
    broken = Deployment(lenet(tmp_path, classes=11), "onnxruntime", tmp_path)
    before = set(tmp_path.iterdir())
    for _ in range(2):
        with pytest.raises(MeasurementError, match="not the weights of lenet5 with 11 classes"):
            _ = broken.agreement
    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize(("macs", "answered"), [(10**6, 40), (10**12, 10)])
def test_large_networks_answer_as_many_as_there_is_time_for(tmp_path: Path, macs: int, answered: int) -> None:
    data = SimpleNamespace(val=characters(256), test=characters(40))
    found = Deployment(lenet(tmp_path, datamodule=data, measured={"macs": {"value": macs}}), "eager", tmp_path).answers
    assert len(found.top) == answered
    assert (found.indices[0], found.indices[-1]) == (0, 39)
