"""The suite's augmented batches against a stock albumentations Compose of the same operations."""

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.comparisons._pipeline import AUGMENTATION, SIZE, speedup
from bench.records.record import Measurement
from datamodules._image import PAPER
from datamodules._loader import Key

GOAL = "at least 2.5 times the images a second"
LIMIT = 2.5
BETTER = "higher"
VERSION = "1"


class StockCompose:
    """Resize to fit the square, pad, one affine warp: albumentations' fastest order, without anti-aliasing."""

    def __init__(self) -> None:
        # Not at the top: tasks.augmentation must first disable the check for a newer release.
        import albumentations as A

        ranges = AUGMENTATION
        scale = (ranges.stretch[0] * ranges.zoom[0], ranges.stretch[1] * ranges.zoom[1])
        affine = A.Affine(
            scale={"x": scale, "y": scale}, rotate=(-ranges.rotate, ranges.rotate),
            shear={"x": (-ranges.shear, ranges.shear), "y": (0, 0)}, translate_percent=(-ranges.shift, ranges.shift),
            fill=PAPER, p=1,
        )  # fmt: skip
        self._compose = A.Compose([
            A.HorizontalFlip(p=ranges.flip_left_right), A.VerticalFlip(p=ranges.flip_up_down),
            A.LongestMaxSize(SIZE, interpolation=cv2.INTER_LINEAR),
            A.PadIfNeeded(SIZE, SIZE, border_mode=cv2.BORDER_CONSTANT, fill=PAPER), affine,
        ])  # fmt: skip

    def __call__(self, image: NDArray[np.uint8], key: Key) -> NDArray[np.uint8]:
        """Native uint8 (h, w) -> uint8 (SIZE, SIZE); draws from albumentations' own generator."""
        augmented: NDArray[np.uint8] = self._compose(image=image)["image"]
        return augmented


def compare() -> Measurement:
    """The suite's images per second over the stock Compose's, in alternating passes of one process on one core."""
    return speedup(StockCompose())
