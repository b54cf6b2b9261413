"""The share of test characters whose class is among the first answers."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.measurements._row import Row
from bench.records.predictions import Predictions
from bench.records.record import Measurement
from bench.records.statistics import paired_difference, wilson


def within(row: Row, k: int) -> Measurement:
    """The share of test characters whose class is among the ``k`` most probable, with Wilson's 95 % interval.

    The interval takes test characters as independent. They come in clusters, many by one writer, so that for new
    writers it is too narrow.

    Raises:
        ValueError: no predictions, or fewer than ``k`` answers per character where there are more classes.
    """
    if row.predictions is None or len(row.predictions.labels) == 0:
        raise ValueError(f"{row.system}: wanted predictions on the test split, got none")
    found = row.predictions.top.shape[1]
    if found < min(k, row.classes):
        raise ValueError(f"{row.system}: wanted {k} answers per character, got {found}")
    return share_within(row.predictions, k)


def share_within(predictions: Predictions, k: int) -> Measurement:
    """The share of right answers among the first ``k``, with Wilson's 95 % interval."""
    top, labels = predictions.top, predictions.labels
    return share((top[:, :k] == labels[:, None]).any(axis=1))


def share(right: NDArray[np.bool_]) -> Measurement:
    """The share of right answers, bool (n,), with Wilson's 95 % interval."""
    low, high = wilson(int(right.sum()), len(right))
    return Measurement(float(right.mean()), {"n": len(right), "ci_low": low, "ci_high": high})


def lost(before: NDArray[np.bool_], after: NDArray[np.bool_]) -> dict[str, Any]:
    """Accuracy lost between two readings of the same characters, ``drop``, with the 95 % interval of its pairs.

    Args:
        before: which characters are read rightly, bool (n,).
        after: which of them still are, or are now.
    """
    fewer, more = int((before & ~after).sum()), int((after & ~before).sum())
    return {"drop": (fewer - more) / len(before), "drop_ci": list(paired_difference(more, fewer, len(before)))}
