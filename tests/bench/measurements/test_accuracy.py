from pathlib import Path

import numpy as np
import pytest
from fake.rows import row
from torch import nn

from bench.measurements import accuracy, accuracy_top5
from bench.row import Predictions
from bench.statistics import wilson


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
