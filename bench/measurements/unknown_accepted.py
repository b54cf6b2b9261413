"""Unknown characters accepted: how often a recogniser is sure of a character that it does not know."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.measurements._accuracy import share
from bench.measurements._predict import predict
from bench.measurements._row import Row
from bench.records.record import Measurement
from datamodules._loader import Fitted

NAME = "unknown_accepted"
UNIT = "ratio"
VERSION = "1"
BETTER = "lower"
PHASE = "figures"
NEEDS_UNKNOWN = True
COLUMN = ("Unknown characters accepted, % [95 %]", "accuracy", None, None)

LOST = 0.05  # share of the correct answers on validation characters below the threshold
MOST = 2_000  # validation characters that set the threshold
COVERAGES = (1.0, 0.98, 0.95, 0.9, 0.8, 0.7, 0.5)  # of the curve, shares of the known test characters


def measure(row: Row) -> Measurement:
    """The share of characters outside the label space whose most probable class is above the threshold of sureness.

    The threshold is the probability that 95 % of the correct answers on validation characters reach; no test character
    sets it. ``coverage`` is the share of the known test characters above it, and ``accuracy_accepted`` their accuracy.
    ``curve`` has the same for thresholds that accept given shares of the known test characters.

    Raises:
        ValueError: the data set has no unknown characters, or the row no predictions.
    """
    unknown, predictions = row.datamodule.splits.unknown, row.predictions
    if not unknown or predictions is None:
        raise ValueError(f"{row.system}: wanted unknown characters and predictions on the test split, got none")
    val = row.datamodule.val
    some = val.take(np.linspace(0, len(val) - 1, min(MOST, len(val))).astype(int))
    view = Fitted(row.recogniser.size)
    validated = predict(row, some, view)
    correct = validated.probability[validated.correct]
    threshold = float(np.quantile(correct, LOST)) if len(correct) else 1.0
    right, known = predictions.correct, predictions.probability
    strange = predict(row, unknown, view).probability
    measured = share(strange >= threshold)
    curve = [_point(float(np.quantile(known, 1 - coverage)), right, known, strange) for coverage in COVERAGES]
    return Measurement(measured.value, {**measured.detail, **_point(threshold, right, known, strange), "curve": curve})


def _point(
    threshold: float, right: NDArray[np.bool_], known: NDArray[np.float32], strange: NDArray[np.float32]
) -> dict[str, Any]:
    accepted = known >= threshold
    return {
        "threshold": threshold, "coverage": float(accepted.mean()),
        "unknown_accepted": float((strange >= threshold).mean()),
        "accuracy_accepted": float(right[accepted].mean()) if accepted.any() else None,
    }  # fmt: skip
