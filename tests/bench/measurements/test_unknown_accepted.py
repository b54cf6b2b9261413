"""Sureness of a recogniser about characters that it does not know."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from fake.rows import row
from torch import nn

from bench.measurements import unknown_accepted
from bench.records.predictions import Predictions
from datamodules._characters import Characters


class Grey(nn.Module):
    """Two classes; the probability of the first is the mean grey level over 255."""

    def forward(self, images):
        level = images.float().mean((1, 2, 3)) / 255
        return torch.stack([level, 1 - level], 1).clamp_min(1e-6).log()


def grey(levels: list[float], label: int = 0) -> Characters:
    images = [np.full((8, 8), round(255 * level), np.uint8) for level in levels]
    return Characters.pack(images, [label] * len(images))


def measured(folder: Path, val: list[float], known: list[float], right: list[bool], unknown: list[float]):
    predictions = Predictions(
        np.array([[0 if one else 1] for one in right], np.int32), np.array(known, np.float32), np.zeros(len(known), int)
    )
    data = SimpleNamespace(val=grey(val), splits=SimpleNamespace(unknown=grey(unknown)))
    return unknown_accepted.measure(row(folder, Grey(), 8, datamodule=data, predictions=predictions, classes=2))


def test_the_threshold_is_what_nearly_all_correct_validation_answers_reach(tmp_path: Path) -> None:
    val = [0.6 + 0.002 * index for index in range(101)] + [0.3] * 50  # 0.3: the second class, wrong
    found = measured(tmp_path, val, [0.9, 0.7, 0.6, 0.55], [True, True, False, True], [0.95, 0.5, 0.5, 0.62, 0.99])
    assert found.detail["threshold"] == pytest.approx(0.61, abs=0.003)
    assert found.value == pytest.approx(3 / 5)
    assert found.detail["n"] == 5
    assert (found.detail["coverage"], found.detail["accuracy_accepted"]) == (0.5, 1.0)


def test_the_curve_accepts_given_shares_of_the_known_characters(tmp_path: Path) -> None:
    known = [index / 100 for index in range(1, 101)]
    found = measured(tmp_path, [0.9] * 20, known, [one > 0.5 for one in known], [0.55, 0.95])
    whole, *_, half = found.detail["curve"]
    assert (whole["coverage"], whole["accuracy_accepted"], whole["unknown_accepted"]) == (1.0, 0.5, 1.0)
    assert (half["coverage"], half["accuracy_accepted"], half["unknown_accepted"]) == (0.5, 1.0, 1.0)


def test_data_without_unknown_characters_are_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="wanted unknown characters and predictions"):
        measured(tmp_path, [0.9] * 20, [0.9], [True], [])
