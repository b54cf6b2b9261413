"""The compared input pipelines: all of them draw, keep the ink and give what a batch takes."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
import torch

from bench.comparisons import _pipeline, pipeline_albumentations, pipeline_rate, pipeline_torchvision
from bench.comparisons._pipeline import AUGMENTATION, BATCH, SIZE, Pipeline, one_thread, speedup
from bench.comparisons.pipeline_albumentations import StockCompose
from bench.comparisons.pipeline_torchvision import StockTransforms
from datamodules._characters import Characters
from datamodules._image import PAPER
from datamodules._loader import View
from tasks.augmentation import CharacterAugmentation

VIEWS = [StockCompose, StockTransforms, lambda: CharacterAugmentation(AUGMENTATION, SIZE)]


def cross(height: int = 90, width: int = 60) -> np.ndarray:
    image = np.full((height, width), PAPER, np.uint8)
    image[height // 2 - 6 : height // 2 + 6] = 0
    image[:, width // 2 - 6 : width // 2 + 6] = 0
    return image


@pytest.fixture
def few_characters(monkeypatch: pytest.MonkeyPatch) -> Characters:
    images = [cross(70 + n % 20, 60 + n % 11) for n in range(BATCH)]
    characters = Characters.pack(images, [0] * BATCH)
    monkeypatch.setattr(_pipeline, "synthetic_characters", lambda: characters)
    monkeypatch.setattr(_pipeline, "ROUNDS", 2)
    monkeypatch.setattr(pipeline_rate, "ROUNDS", 2)
    return characters


@pytest.mark.parametrize("make", VIEWS)
def test_a_view_draws_afresh_and_leaves_ink_on_paper(make: Callable[[], View]) -> None:
    view = make()
    drawn = np.stack([view(cross(), (0, 0, index)) for index in range(20)])
    assert drawn.shape == (20, SIZE, SIZE)
    assert drawn.dtype == np.uint8
    assert len(np.unique(drawn.reshape(20, -1), axis=0)) == 20
    assert (drawn[:, SIZE // 2 - 8 : SIZE // 2 + 8, SIZE // 2 - 8 : SIZE // 2 + 8].min((1, 2)) < 64).all()
    assert (drawn[:, 0, 0] == PAPER).all()
    assert (drawn[:, -1, -1] == PAPER).all()


@pytest.mark.parametrize("make", VIEWS)
def test_the_same_amount_is_drawn(make: Callable[[], View]) -> None:
    view = make()
    ink = np.array([(255 - view(cross(), (0, 0, n)).astype(float)).mean() for n in range(200)])
    # Equal laws of scale and place: equal ink, on average and in spread, within sampling.
    reference = CharacterAugmentation(AUGMENTATION, SIZE)
    wanted = np.array([(255 - reference(cross(), (0, 1, n)).astype(float)).mean() for n in range(200)])
    assert ink.mean() == pytest.approx(wanted.mean(), rel=0.12)


def test_the_speedup_is_that_of_the_slower_view(few_characters: Characters) -> None:
    ours = CharacterAugmentation(AUGMENTATION, SIZE)

    def five_times(image: np.ndarray, key: tuple[int, int, int]) -> np.ndarray:
        for _ in range(4):
            ours(image, key)
        return ours(image, key)

    found = speedup(five_times)
    assert found.value is not None
    assert 2.5 < found.value < 10
    assert found.detail["ci_low"] <= found.value <= found.detail["ci_high"]
    assert found.detail["images_per_second"] > found.detail["stock_images_per_second"]
    assert found.detail["n"] == 2


def test_the_rate_is_the_wanted_one_over_that_made(few_characters: Characters) -> None:
    found = pipeline_rate.compare()
    assert found.value is not None
    assert found.value == pytest.approx(pipeline_rate.WANTED / found.detail["images_per_second"], rel=0.5)


@pytest.mark.parametrize("module", [pipeline_albumentations, pipeline_torchvision])
def test_a_comparison_runs_the_suite_against_the_stock_one(module, few_characters: Characters) -> None:
    found = module.compare()
    assert found.value is not None
    assert 0.5 < found.value < 50


def test_a_pass_is_drawn_afresh_and_counts_its_images(few_characters: Characters) -> None:
    seen = []

    def spy(image: np.ndarray, key: tuple[int, int, int]) -> np.ndarray:
        seen.append(key)
        return np.zeros((SIZE, SIZE), np.uint8)

    pipeline = Pipeline(few_characters, spy)
    assert pipeline.images_per_second() > 0
    pipeline.images_per_second()
    assert sorted(seen) == [(0, epoch, index) for epoch in (0, 1) for index in range(BATCH)]


def test_threads_are_given_back() -> None:
    before = cv2.getNumThreads(), torch.get_num_threads()
    with one_thread():
        assert (cv2.getNumThreads(), torch.get_num_threads()) == (1, 1)
    assert (cv2.getNumThreads(), torch.get_num_threads()) == before
