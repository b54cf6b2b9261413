"""Robustness: top-1 accuracy on rotated, flipped and resized test characters."""

import random

import numpy as np
from numpy.typing import NDArray

from bench.measurements._accuracy import accuracy_drop, share_in_top_k
from bench.measurements._predict import predict
from bench.measurements._row import Row
from bench.records.predictions import write_predictions
from bench.records.record import Measurement
from datamodules._loader import Key
from tasks.augmentation import CharacterAugmentation
from tasks.recipe import Augmentation

NAME = "robustness"
UNIT = "ratio"
VERSION = "1"
BETTER = "higher"
PHASE = "figures"
COLUMN = None
FIGURES = ("accuracy@rotation", "accuracy@flip", "accuracy@resize")
PASSES = 3

# mobilenet-hccr, section 6.3. Section 7 calls characters that are mirrored "horizontally or vertically" flipped: here
# every character is mirrored one way, the other way or both.
_CHANGES = {
    "accuracy@rotation": (Augmentation(rotate=25.0),),
    "accuracy@flip": (
        Augmentation(flip_left_right=1.0),
        Augmentation(flip_up_down=1.0),
        Augmentation(flip_left_right=1.0, flip_up_down=1.0),
    ),
    "accuracy@resize": (Augmentation(stretch=(0.5, 2.5)),),
}
_SEED = 2018  # the paper's year; not the seed of the run, so that every system and seed gets the same images


class RandomView:
    """A view that applies one of ``changes``, drawn by (seed, epoch, index), to each character, at any output size."""

    def __init__(self, changes: tuple[Augmentation, ...], size: int) -> None:
        self._views = [CharacterAugmentation(change, size) for change in changes]
        self._random = random.Random()

    def __call__(self, image: NDArray[np.uint8], key: Key) -> NDArray[np.uint8]:
        """Native uint8 (h, w) or (h, w, 3) -> uint8 (size, size) or (size, size, 3)."""
        view = self._views[0]
        if len(self._views) > 1:
            self._random.seed(f"change {key}")  # independent of the draws within the change
            view = self._random.choice(self._views)
        changed: NDArray[np.uint8] = view(image, key)
        return changed


def measure(row: Row, figure: str) -> Measurement:
    """The share of test characters classified correctly after each is rotated by up to 25°, mirrored, or resized.

    ``figure`` is one of FIGURES: rotation by up to 25 degrees to either side; mirroring left to right, top to bottom or
    both; or scaling width and height each by 0.5 to 2.5 before padding to a square. The draws depend only on the
    character's index in the test split, so all systems get the same images. The answers are stored next to those of
    ``accuracy``.

    Returns: the share with Wilson's 95 % interval; ``drop`` is the accuracy lost, ``drop_ci`` its 95 % interval from
        the pairs of answers to the same character.

    Raises:
        ValueError: no predictions on the unchanged test split, or predictions of other characters.

    Source: mobilenet-hccr, section 6.3.
    """
    clean = row.predictions
    if clean is None or not np.array_equal(clean.labels, row.datamodule.test.labels):
        raise ValueError(f"{row.system}: wanted predictions on the unchanged test split, got none")
    changed = predict(row, row.datamodule.test, RandomView(_CHANGES[figure], row.recogniser.size), _SEED)
    write_predictions(row.weights.parent, changed, figure.partition("@")[2])
    share = share_in_top_k(changed, 1)
    return Measurement(share.value, {**share.detail, **accuracy_drop(clean.correct, changed.correct)})
