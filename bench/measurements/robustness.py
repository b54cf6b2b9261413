"""Top-1 accuracy on turned, on mirrored and on resized test characters."""

import copy
import random

import numpy as np
import torch
from numpy.typing import NDArray

from bench.measurements._accuracy import lost, share_within
from bench.measurements._row import Row
from bench.records.predictions import Predictions, write_predictions
from bench.records.record import Measurement
from datamodules._loader import BatchDataset, Key, View, make_loader
from tasks.augmentation import CharacterAugmentation
from tasks.classification import best_answers
from tasks.recipe import Augmentation

NAME = "robustness"
UNIT = "ratio"
VERSION = "1"
BETTER = "higher"
PHASE = "figures"
COLUMN = None
FIGURES = ("accuracy@rotation", "accuracy@flip", "accuracy@resize")
PASSES = 3

# mobilenet-hccr, section 6.3. Section 7 calls flipped what is mirrored "horizontally or vertically": every character
# is, one way, the other or both.
_CHANGES = {
    "accuracy@rotation": (Augmentation(rotate=25.0),),
    "accuracy@flip": (
        Augmentation(flip_left_right=1.0),
        Augmentation(flip_up_down=1.0),
        Augmentation(flip_left_right=1.0, flip_up_down=1.0),
    ),
    "accuracy@resize": (Augmentation(stretch=(0.5, 2.5)),),
}
_SEED = 2018  # the paper's year; not that of the run: every system and seed reads the same images
_BATCH = 64  # no figure depends on it: networks are in eval mode


class Drawn:
    """A view that changes each character as (seed, epoch, index) says, whatever the system's input size.

    Args:
        changes: one of them is drawn for each character.
        size: output side in pixels.
    """

    def __init__(self, changes: tuple[Augmentation, ...], size: int) -> None:
        self._views = [CharacterAugmentation(change, size) for change in changes]
        self._random = random.Random()

    def __call__(self, image: NDArray[np.uint8], key: Key) -> NDArray[np.uint8]:
        """Native uint8 (h, w) or (h, w, 3) -> uint8 (size, size) or (size, size, 3)."""
        view = self._views[0]
        if len(self._views) > 1:
            self._random.seed(f"change {key}")  # apart from the draws of the change itself
            view = self._random.choice(self._views)
        changed: NDArray[np.uint8] = view(image, key)
        return changed


def measure(row: Row, figure: str) -> Measurement:
    """The share of test characters read rightly after each is turned by up to 25°, mirrored, or resized.

    Rotation by up to 25 degrees to either side; mirrored left to right, top to bottom or both; or width and height
    each scaled by 0.5 to 2.5 before the pad to a square. The draws depend on the character's place in the test part
    alone, so that all systems read the same images, those of ``accuracy``. The answers are stored beside its own.

    Args:
        row: with its answers on the unchanged test part.
        figure: one of FIGURES.

    Returns: the share with Wilson's 95 % interval; ``drop`` is the accuracy lost, ``drop_ci`` its 95 % interval from
        the pairs of answers to the same character.

    Raises:
        ValueError: no answers on the unchanged test part, or those of other characters.

    Source: mobilenet-hccr, section 6.3.
    """
    clean = row.predictions
    if clean is None or not np.array_equal(clean.labels, row.datamodule.test.labels):
        raise ValueError(f"{row.system}: wanted predictions on the unchanged test split, got none")
    found = answers(row, Drawn(_CHANGES[figure], row.recogniser.size))
    write_predictions(row.weights.parent, found, figure.partition("@")[2])
    share = share_within(found, 1)
    return Measurement(share.value, {**share.detail, **lost(clean.correct, found.correct)})


def answers(row: Row, view: View) -> Predictions:
    """What a system answers on the test part seen through ``view``, in full precision, where the row was trained."""
    recogniser, network = row.recogniser, row.recogniser.network
    device = "cuda" if row.accelerator != "cpu" and torch.cuda.is_available() else "cpu"
    if device != "cpu":
        network = copy.deepcopy(network).to(device)  # other measurements use the one on the CPU
    dataset = BatchDataset(row.datamodule.test, view, recogniser.size, recogniser.channels, _SEED)
    top, probability = [], []
    with torch.inference_mode():
        for batch in make_loader(dataset, _BATCH, shuffle=False, workers=0):
            best, _ = best_answers(network, batch["images"].to(device))
            top.append(best.indices.cpu())
            probability.append(best.values[:, 0].cpu())
    return Predictions(
        torch.cat(top).numpy().astype(np.int32), torch.cat(probability).numpy(), row.datamodule.test.labels
    )
