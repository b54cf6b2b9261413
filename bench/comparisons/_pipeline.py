"""What the comparisons of input pipelines share: the same characters, batches and operations, one thread."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from bench.records.record import Measurement
from bench.records.statistics import bootstrap_ratio
from datamodules._characters import Characters
from datamodules._loader import BatchDataset, EpochBatches, View
from datamodules.synthetic_hwdb import SyntheticHWDB
from tasks.augmentation import CharacterAugmentation
from tasks.recipes import LIGHT_AUGMENTATION

CLASSES, WRITERS = 30, (40, 1)  # 1,200 synthetic characters: tenths of a second a pass
SIZE, BATCH = 64, 64  # the suite's default input and recipe light's batch
ROUNDS = 15
# Recipe light's rotation, stretch, zoom, shift and shear, and both flips at the usual probability.
AUGMENTATION = replace(LIGHT_AUGMENTATION, flip_left_right=0.5, flip_up_down=0.5)


class Pipeline:
    """From packed characters to batches of augmented images, in this process.

    Args:
        characters: at their native size.
        view: what each becomes, uint8 (SIZE, SIZE).
    """

    def __init__(self, characters: Characters, view: View) -> None:
        self._dataset = BatchDataset(characters, view, SIZE, 1, seed=0)
        self._sampler = EpochBatches(len(characters), BATCH, shuffle=True, seed=0)
        self._passes = 0

    def images_per_second(self) -> float:
        """One pass over all characters, drawn afresh; by CPU time, which busy neighbours hardly change."""
        self._sampler.set_epoch(self._passes)
        self._passes += 1
        keys = list(self._sampler)
        started = time.process_time()
        for batch in keys:
            self._dataset[batch]
        return len(keys) * BATCH / (time.process_time() - started)


def suite_pipeline() -> Pipeline:
    """The suite's own: flips, rotation, stretch, zoom, shift and shear as one anti-aliased resampling."""
    return Pipeline(synthetic_characters(), CharacterAugmentation(AUGMENTATION, SIZE))


def synthetic_characters() -> Characters:
    """The training part of a small ``synthetic_hwdb``."""
    datamodule = SyntheticHWDB(CLASSES, WRITERS)
    datamodule.setup()
    return datamodule.splits.train


def speedup(stock: View) -> Measurement:
    """How many times the images a second of a stock pipeline the suite's own makes, passes in turn.

    Args:
        stock: the other pipeline's view; characters, order and batches are the same.
    """
    ours, theirs = suite_pipeline(), Pipeline(synthetic_characters(), stock)
    with one_thread():
        rounds = []
        for number in range(ROUNDS + 1):
            first, second = (ours, theirs) if number % 2 else (theirs, ours)
            rates = {first: first.images_per_second(), second: second.images_per_second()}
            rounds.append((rates[ours], rates[theirs]))
    rated = np.array(rounds[1:])  # the first round warms up
    ratio, low, high = bootstrap_ratio(np.log(rated[:, 0] / rated[:, 1]), seed=0)
    return Measurement(ratio, {"ci_low": low, "ci_high": high, **_medians(rated)})


def _medians(rated: NDArray[np.float64]) -> dict[str, float]:
    suite, stock = np.median(rated, axis=0)
    return {"n": len(rated), "images_per_second": float(suite), "stock_images_per_second": float(stock)}


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep OpenCV and torch to one thread each."""
    before = cv2.getNumThreads(), torch.get_num_threads()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before[0])
        torch.set_num_threads(before[1])
