"""Speed of input pipelines on one thread, with the same characters, batches and operations."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import cv2
import numpy as np
import torch

from bench.comparisons._paired import alternate, median_ratio
from bench.records.record import Measurement
from datamodules._characters import Characters
from datamodules._loader import BatchDataset, EpochBatches, View
from datamodules.synthetic_hwdb import SyntheticHWDB
from tasks.augmentation import CharacterAugmentation
from tasks.recipes import LIGHT_AUGMENTATION

CLASSES, WRITERS = 30, (40, 1)  # 1,200 synthetic characters: tenths of a second per pass
SIZE, BATCH = 64, 64  # the suite's default input and recipe light's batch
ROUNDS = 15
# Recipe light's rotation, stretch, zoom, shift and shear, and both flips at the usual probability.
AUGMENTATION = replace(LIGHT_AUGMENTATION, flip_left_right=0.5, flip_up_down=0.5)


class Pipeline:
    """Makes batches of augmented images in this process; ``view`` turns native-size images into uint8 (SIZE, SIZE)."""

    def __init__(self, characters: Characters, view: View) -> None:
        self._dataset = BatchDataset(characters, view, SIZE, 1, seed=0)
        self._sampler = EpochBatches(len(characters), BATCH, shuffle=True, seed=0)
        self._passes = 0

    def images_per_second(self) -> float:
        """One pass over all characters with new augmentations; CPU time, which other processes hardly affect."""
        self._sampler.set_epoch(self._passes)
        self._passes += 1
        keys = list(self._sampler)
        started = time.process_time()
        for batch in keys:
            self._dataset[batch]
        return len(keys) * BATCH / (time.process_time() - started)


def suite_pipeline() -> Pipeline:
    """The suite's pipeline: flips, rotation, stretch, zoom, shift and shear in one anti-aliased resampling."""
    return Pipeline(synthetic_characters(), CharacterAugmentation(AUGMENTATION, SIZE))


def synthetic_characters() -> Characters:
    """The training part of a small ``synthetic_hwdb``."""
    datamodule = SyntheticHWDB(CLASSES, WRITERS)
    datamodule.setup()
    return datamodule.splits.train


def speedup(stock: View) -> Measurement:
    """The suite's images per second over those of a stock pipeline with the view ``stock``, in alternating passes."""
    ours, theirs = suite_pipeline(), Pipeline(synthetic_characters(), stock)
    with one_thread():
        rounds = alternate(ROUNDS + 1, lambda _: ours.images_per_second(), lambda _: theirs.images_per_second())
    rates = rounds[1:]  # the first round warms up
    suite_rate, stock_rate = map(float, np.median(rates, axis=0))
    return median_ratio(rates[:, 0] / rates[:, 1], images_per_second=suite_rate, stock_images_per_second=stock_rate)


@contextmanager
def one_thread() -> Iterator[None]:
    """Limit OpenCV and torch to one thread each."""
    before = cv2.getNumThreads(), torch.get_num_threads()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before[0])
        torch.set_num_threads(before[1])
