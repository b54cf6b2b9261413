"""The share of test characters whose class is among the first answers."""

from bench.predictions import Predictions
from bench.record import Measurement
from bench.row import Row
from bench.statistics import wilson


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
    right = int((top[:, :k] == labels[:, None]).any(axis=1).sum())
    low, high = wilson(right, len(labels))
    return Measurement(right / len(labels), {"n": len(labels), "ci_low": low, "ci_high": high})
