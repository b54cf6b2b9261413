from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from fake.rows import characters, row
from torch import nn

from bench.measurements import _deployment as deployment
from bench.measurements import accuracy, accuracy_top5
from bench.measurements._deployment import Deployment
from bench.measurements._row import Predictions
from bench.records.statistics import paired_difference, wilson


def answered(folder: Path, top: list[list[int]], labels: list[int], classes: int = 10):
    predictions = Predictions(
        np.array(top, np.int32), np.full(len(labels), 0.5, np.float32), np.array(labels, np.int64)
    )
    return row(folder, nn.Linear(2, 2), predictions=predictions, classes=classes)


def test_first_and_first_five(tmp_path: Path) -> None:
    found = answered(tmp_path, [[0, 1, 2, 3, 4], [1, 0, 2, 3, 4], [5, 6, 7, 8, 0], [5, 6, 7, 8, 9]], [0, 0, 0, 0])
    first, five = accuracy.measure(found), accuracy_top5.measure(found)
    assert (first.value, five.value) == (0.25, 0.75)
    for measured, right in ((first, 1), (five, 3)):
        low, high = wilson(right, 4)
        assert measured.detail == {"n": 4, "ci_low": low, "ci_high": high}


def test_fewer_classes_than_five(tmp_path: Path) -> None:
    found = answered(tmp_path, [[0, 1, 2], [1, 0, 2]], [2, 1], classes=3)
    assert accuracy_top5.measure(found).value == 1.0


def test_too_few_answers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="wanted 5 answers per character, got 3"):
        accuracy_top5.measure(answered(tmp_path, [[0, 1, 2]], [2]))


def test_no_predictions_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="wanted predictions"):
        accuracy.measure(row(tmp_path, nn.Linear(2, 2)))


def in_runtime(folder: Path, answers: list[int], eager: list[int], labels: list[int], monkeypatch):
    """Accuracy in a runtime whose answers are these; nothing is exported."""
    folder.mkdir(exist_ok=True)
    made = answered(folder, [[one] for one in eager], labels)
    parts = SimpleNamespace(test=characters(len(labels)), val=characters(16))
    monkeypatch.setattr(deployment, "run_apart", lambda *_, **__: {"top": answers})
    place = Deployment(replace(made, datamodule=parts), "onnxruntime", folder)
    monkeypatch.setattr(Deployment, "prepare", None)
    return accuracy.measure_in(place)


def test_what_a_runtime_loses_is_counted_in_pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = in_runtime(tmp_path, [0, 1, 2, 3], [0, 1, 3, 9], [0, 0, 3, 3], monkeypatch)
    assert found.value == 2 / 4
    low, high = wilson(2, 4)
    lost = {"drop": 0.0, "drop_ci": list(paired_difference(1, 1, 4))}  # one is lost, another one won
    assert found.detail == {"n": 4, "ci_low": low, "ci_high": high, **lost}
    worse = in_runtime(tmp_path / "other", [1, 1, 1, 1], [0, 0, 0, 1], [0, 0, 0, 1], monkeypatch)
    assert (worse.value, worse.detail["drop"]) == (0.25, 0.75)


def test_of_very_many_test_characters_some_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deployment, "ANSWERED", 3)
    found = in_runtime(tmp_path, [0, 5, 0], [0, 7, 5, 8, 0], [0, 7, 5, 8, 1], monkeypatch)  # the first, third and last
    assert found.detail["n"] == 3
    assert (found.value, found.detail["drop"]) == (2 / 3, 0.0)


def test_a_runtime_needs_eagers_answers_to_compare_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deployment, "run_apart", lambda *_, **__: {"top": [0] * 16})
    monkeypatch.setattr(Deployment, "prepare", None)
    parts = SimpleNamespace(test=characters(16), val=characters(16))
    with pytest.raises(ValueError, match="wanted predictions"):
        accuracy.measure_in(Deployment(row(tmp_path, nn.Linear(2, 2), datamodule=parts), "onnxruntime", tmp_path))
