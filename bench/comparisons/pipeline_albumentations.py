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
    """Fit to the square, pad, then one affine warp: albumentations' fastest order, without anti-aliasing."""

    def __init__(self) -> None:
        # Here, not above: tasks.augmentation must first have told it to look for no newer release.
        import albumentations as A

        drawn = AUGMENTATION
        scale = (drawn.stretch[0] * drawn.zoom[0], drawn.stretch[1] * drawn.zoom[1])
        self._compose = A.Compose(
            [
                A.HorizontalFlip(p=drawn.flip_left_right),
                A.VerticalFlip(p=drawn.flip_up_down),
                A.LongestMaxSize(SIZE, interpolation=cv2.INTER_LINEAR),
                A.PadIfNeeded(SIZE, SIZE, border_mode=cv2.BORDER_CONSTANT, fill=PAPER),
                A.Affine(
                    scale={"x": scale, "y": scale},
                    rotate=(-drawn.rotate, drawn.rotate),
                    shear={"x": (-drawn.shear, drawn.shear), "y": (0, 0)},
                    translate_percent=(-drawn.shift, drawn.shift),
                    fill=PAPER,
                    p=1,
                ),
            ]
        )

    def __call__(self, image: NDArray[np.uint8], key: Key) -> NDArray[np.uint8]:
        """Native uint8 (h, w) -> uint8 (SIZE, SIZE); draws from albumentations' own generator."""
        augmented: NDArray[np.uint8] = self._compose(image=image)["image"]
        return augmented


def compare() -> Measurement:
    """The suite's images a second over the stock Compose's, passes in turn, one process on one core."""
    return speedup(StockCompose())
