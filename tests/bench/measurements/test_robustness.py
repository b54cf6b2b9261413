"""Accuracy under rotation, flip and resize: what is drawn, the same for all, and what is stored of it."""

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from fake.rows import characters, row
from torch import nn

from bench.measurements import robustness
from bench.measurements._predict import predict
from bench.measurements.robustness import FIGURES, RandomView, measure
from bench.plugins import figures, measurement_of
from bench.records.predictions import Predictions, read_predictions
from bench.records.statistics import paired_difference, wilson
from bench.run.measure import measurement_modules
from datamodules._characters import Characters
from datamodules._loader import Fitted
from tasks.recipe import Augmentation

COUNT = 90
CHANGES = robustness._CHANGES


class Sides(nn.Module):
    """Class 0 where the left half holds more ink, class 1 where the right half does; keeps what it is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))
        self.shown: list[torch.Tensor] = []

    def forward(self, images):
        self.shown.append(images)
        ink = 255.0 - images.float().mean((1, 2))
        middle = ink.shape[1] // 2
        return torch.stack([ink[:, :middle].sum(1), ink[:, middle:].sum(1)], 1)


def halves(count: int = COUNT) -> Characters:
    """Signs of two classes: a block of ink on the left, or on the right."""
    images = np.full((count, 64, 64), 255, np.uint8)
    labels = [index % 2 for index in range(count)]
    for image, label in zip(images, labels, strict=True):
        image[16:48, 40 * label : 40 * label + 24] = 0
    return Characters.pack(list(images), labels)


def trained(folder: Path, test: Characters, **changes):
    """A row of Sides on these test characters, with its answers on them as they are."""
    found = row(folder, Sides(), datamodule=SimpleNamespace(test=test), classes=2, **changes)
    return dataclasses.replace(found, predictions=predict(found, found.datamodule.test, Fitted(found.recogniser.size)))


def views(figure: str, test: Characters, size: int = 64) -> list[np.ndarray]:
    drawn = RandomView(CHANGES[figure], size)
    return [drawn(test.image(index), (robustness._SEED, 0, index)) for index in range(len(test))]


def test_one_answer_more_or_less_is_counted_by_hand(tmp_path: Path) -> None:
    found = trained(tmp_path, halves())
    assert found.predictions is not None
    assert found.predictions.correct.all()
    for figure in ("accuracy@rotation", "accuracy@resize"):  # neither takes ink to the other side
        kept = measure(found, figure)
        assert (kept.value, kept.detail["drop"], kept.detail["n"]) == (1.0, 0.0, COUNT)
        assert (kept.detail["ci_low"], kept.detail["ci_high"]) == wilson(COUNT, COUNT)
    flipped = measure(found, "accuracy@flip")
    # Upside down the side stays, mirrored left to right, alone or as well, it changes.
    test = halves()
    sides = [int((image[:, 32:] < 128).any()) for image in views("accuracy@flip", test)]
    right = sum(side == label for side, label in zip(sides, test.labels, strict=True))
    assert COUNT / 6 < right < COUNT / 2
    assert flipped.value == right / COUNT
    assert flipped.detail["drop"] == pytest.approx(1 - right / COUNT)
    assert flipped.detail["drop_ci"] == list(paired_difference(0, COUNT - right, COUNT))
    assert (flipped.detail["ci_low"], flipped.detail["ci_high"]) == wilson(right, COUNT)
    assert read_predictions(tmp_path, "flip").top[:, 0].tolist() == sides


def test_a_change_of_nothing_is_the_evaluation_view() -> None:
    test = characters(20)
    drawn, fitted = RandomView((Augmentation(),), 48), Fitted(48)
    for index in range(20):
        key = (7, 0, index)
        assert np.array_equal(drawn(test.image(index), key), fitted(test.image(index), key))


@pytest.mark.parametrize("figure", FIGURES)
def test_every_system_and_seed_is_shown_the_same_characters(tmp_path: Path, figure: str) -> None:
    test = characters(12)
    shown = []
    for seed, name in ((0, "one"), (5, "other")):
        (tmp_path / name).mkdir()
        found = trained(tmp_path / name, test, seed=seed, system=name)
        network = found.recogniser.network
        assert isinstance(network, Sides)
        clean = torch.cat(network.shown)
        network.shown.clear()
        measure(found, figure)
        shown.append(torch.cat(network.shown))
        assert not torch.equal(shown[-1], clean)
    assert torch.equal(*shown)


def test_a_smaller_input_is_shown_the_same_change() -> None:
    test = halves(12)
    for large, small in zip(views("accuracy@flip", test, 64), views("accuracy@flip", test, 32), strict=True):
        assert np.array_equal(cv2.resize(large, (32, 32), interpolation=cv2.INTER_AREA), small)


def test_every_character_is_mirrored_in_one_of_three_ways() -> None:
    sign = np.full((64, 64), 255, np.uint8)
    sign[4:10, 4:60] = sign[4:60, 4:10] = 0
    ways = {"left to right": sign[:, ::-1], "top to bottom": sign[::-1], "both": sign[::-1, ::-1]}
    found = []
    for image in views("accuracy@flip", Characters.pack([sign] * COUNT, [0] * COUNT)):
        (way,) = [name for name, mirrored in ways.items() if np.array_equal(image, mirrored)]
        found.append(way)
    assert min(found.count(way) for way in ways) > COUNT / 6
    assert found == [next(n for n, m in ways.items() if np.array_equal(image, m))
                     for image in views("accuracy@flip", Characters.pack([sign] * COUNT, [0] * COUNT))]  # fmt: skip


def test_characters_are_turned_by_up_to_25_degrees_to_either_side() -> None:
    bar = np.full((64, 64), 255, np.uint8)
    bar[29:35, 8:56] = 0
    angles = []
    for image in views("accuracy@rotation", Characters.pack([bar] * COUNT, [0] * COUNT)):
        y, x = np.nonzero(image < 128)
        angles.append(np.degrees(np.arctan(np.polyfit(x, y, 1)[0])))
    assert -25.5 < min(angles) < -20
    assert 20 < max(angles) < 25.5
    assert abs(np.mean(angles)) < 5


def test_width_and_height_are_scaled_apart_by_a_half_to_two_and_a_half() -> None:
    block = Characters.pack([np.zeros((40, 40), np.uint8)] * COUNT, [0] * COUNT)
    ratios = []
    for image in views("accuracy@resize", block):
        ink = image < 128
        tall, wide = int(ink.any(1).sum()), int(ink.any(0).sum())
        assert max(tall, wide) == 64  # padded to a square, then fitted to the input
        ratios.append(wide / tall)
    assert 0.19 < min(ratios) < 0.5
    assert 2 < max(ratios) < 5.3


def test_without_answers_on_the_same_characters_there_is_no_drop(tmp_path: Path) -> None:
    found = trained(tmp_path, halves())
    others = Predictions(np.zeros((3, 2), np.int32), np.ones(3, np.float32), np.zeros(3, np.int64))
    for predictions in (None, others):
        with pytest.raises(ValueError, match="wanted predictions on the unchanged test split"):
            measure(dataclasses.replace(found, predictions=predictions), "accuracy@flip")


def test_a_measurement_of_several_figures_is_one_taker_for_each() -> None:
    assert figures("accuracy") == ("accuracy",)
    assert figures("robustness") == FIGURES
    found = measurement_modules(("accuracy", "robustness"))
    assert list(found) == ["accuracy", *FIGURES]
    assert {(one.UNIT, one.PHASE) for one in found.values()} == {("ratio", "figures")}
    assert found["accuracy@flip"].VERSION == robustness.VERSION


@pytest.mark.parametrize(
    ("figure", "wanted"),
    [
        ("accuracy", "accuracy"), ("accuracy@flip", "robustness"), ("latency@openvino", "latency"),
        ("accuracy@fog", None), ("macs", None),
    ],
)  # fmt: skip
def test_figures_are_traced_to_what_gives_them(figure: str, wanted: str | None) -> None:
    assert measurement_of(figure, ("accuracy", "robustness", "latency")) == wanted
    assert measurement_of("accuracy@flip", ("accuracy", "latency")) is None
