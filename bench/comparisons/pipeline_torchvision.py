"""The suite's augmented batches against torchvision's transforms of PIL images."""

from functools import partial

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
    """Flips, resize to fit the square, then bilinear RandomAffine: torchvision's usual recipe, transforms v1 (faster).

    RandomAffine scales both sides equally, one random number fewer than the suite draws.
    """

    def __init__(self) -> None:
        ranges = AUGMENTATION
        fit = partial(ImageOps.pad, size=(SIZE, SIZE), method=Image.Resampling.BILINEAR, color=PAPER)
        affine = transforms.RandomAffine(
            ranges.rotate, translate=(ranges.shift, ranges.shift), shear=ranges.shear, fill=PAPER,
            scale=(ranges.stretch[0] * ranges.zoom[0], ranges.stretch[1] * ranges.zoom[1]),
            interpolation=transforms.InterpolationMode.BILINEAR,
        )  # fmt: skip
        self._compose = transforms.Compose([
            transforms.RandomHorizontalFlip(ranges.flip_left_right), transforms.RandomVerticalFlip(ranges.flip_up_down),
            transforms.Lambda(fit), affine, transforms.PILToTensor(),
        ])  # fmt: skip

    def __call__(self, image: NDArray[np.uint8], key: Key) -> NDArray[np.uint8]:
        """Native uint8 (h, w) -> uint8 (SIZE, SIZE); draws from torch's generator."""
        augmented: NDArray[np.uint8] = self._compose(Image.fromarray(image))[0].numpy()
        return augmented


def compare() -> Measurement:
    """The suite's images per second over torchvision's, in alternating passes of one process on one core."""
    return speedup(StockTransforms())
