"""Top-k accuracy with Wilson's interval, and the accuracy drop between two sets of answers."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.measurements._row import Row
from bench.records.predictions import Predictions
from bench.records.record import Measurement
from bench.records.statistics import paired_difference, wilson


def top_k_accuracy(row: Row, k: int) -> Measurement:
    """The share of test characters whose class is among the ``k`` most probable, with Wilson's 95 % interval.

    The interval treats test characters as independent. Many of them are by the same writer, so for new writers it is
    too narrow.

    Raises:
        ValueError: no predictions, or fewer than ``k`` answers per character although there are more classes.
    """
    if row.predictions is None or len(row.predictions.labels) == 0:
        raise ValueError(f"{row.system}: wanted predictions on the test split, got none")
    answers = row.predictions.top.shape[1]
    if answers < min(k, row.classes):
        raise ValueError(f"{row.system}: wanted {k} answers per character, got {answers}")
    return share_in_top_k(row.predictions, k)


def share_in_top_k(predictions: Predictions, k: int) -> Measurement:
    """The share of characters whose class is among the first ``k`` answers, with Wilson's 95 % interval."""
    top, labels = predictions.top, predictions.labels
    return share((top[:, :k] == labels[:, None]).any(axis=1))


def share(flags: NDArray[np.bool_]) -> Measurement:
    """The share of true values, bool (n,), with Wilson's 95 % interval."""
    low, high = wilson(int(flags.sum()), len(flags))
    return Measurement(float(flags.mean()), {"n": len(flags), "ci_low": low, "ci_high": high})


def accuracy_drop(before: NDArray[np.bool_], after: NDArray[np.bool_]) -> dict[str, Any]:
    """Accuracy lost from ``before`` to ``after``, correct answers to the same characters, with its 95 % interval."""
    lost, gained = int((before & ~after).sum()), int((after & ~before).sum())
    return {"drop": (lost - gained) / len(before), "drop_ci": list(paired_difference(gained, lost, len(before)))}
