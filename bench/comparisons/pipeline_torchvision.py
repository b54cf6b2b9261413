"""The suite's augmented batches against torchvision's transforms of PIL images."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torchvision import transforms

from bench.comparisons._pipeline import AUGMENTATION, SIZE, speedup
from bench.records.record import Measurement
from datamodules._image import PAPER
from datamodules._loader import Key

GOAL = "at least 3 times the images a second"
LIMIT = 3.0
BETTER = "higher"
VERSION = "1"


class StockTransforms:
    """Flips, fit to the square, then RandomAffine, bilinear: torchvision's usual recipe; version 1 is the faster.

    RandomAffine scales both sides alike, one draw less than the suite makes.
    """

    def __init__(self) -> None:
        drawn = AUGMENTATION
        self._compose = transforms.Compose(
            [
                transforms.RandomHorizontalFlip(drawn.flip_left_right),
                transforms.RandomVerticalFlip(drawn.flip_up_down),
                transforms.Lambda(_fitted),
                transforms.RandomAffine(
                    drawn.rotate,
                    translate=(drawn.shift, drawn.shift),
                    scale=(drawn.stretch[0] * drawn.zoom[0], drawn.stretch[1] * drawn.zoom[1]),
                    shear=drawn.shear,
                    interpolation=transforms.InterpolationMode.BILINEAR,
                    fill=PAPER,
                ),
                transforms.PILToTensor(),
            ]
        )

    def __call__(self, image: NDArray[np.uint8], key: Key) -> NDArray[np.uint8]:
        """Native uint8 (h, w) -> uint8 (SIZE, SIZE); draws from torch's generator."""
        augmented: NDArray[np.uint8] = self._compose(Image.fromarray(image))[0].numpy()
        return augmented


def compare() -> Measurement:
    """The suite's images a second over torchvision's, passes in turn, one process on one core."""
    return speedup(StockTransforms())


def _fitted(image: Image.Image) -> Image.Image:
    return ImageOps.pad(image, (SIZE, SIZE), method=Image.Resampling.BILINEAR, color=PAPER)
