"""Accuracy of each head alone."""

import numpy as np

from bench.measurements._exits import answered, cascade
from bench.measurements._row import Row
from bench.records.record import Measurement
from bench.records.statistics import mcnemar, paired_difference, wilson

NAME = "exit_accuracy"
UNIT = "ratio"
VERSION = "2"
BETTER = "higher"
PHASE = "figures"
COLUMN = None
NEEDS = "HEADS"


def measure(row: Row) -> Measurement:
    """Top-1 accuracy on the test split of the final head alone; that of each early head beside it.

    ``exits`` has one for each head, with Wilson's 95 % interval; ``paired`` counts the characters that only the
    cascade or only its final head reads rightly, with McNemar's p value, and has the cascade's accuracy minus that
    of its final head with its 95 % interval from the pairs.

    Raises:
        ValueError: no predictions, or a network without early exits.
    """
    found, heads = answered(row)
    right = heads.top == found.labels[:, None]
    exits = {}
    for number, name in enumerate(cascade(row).heads):
        low, high = wilson(int(right[:, number].sum()), len(right))
        exits[name] = {"value": float(right[:, number].mean()), "ci_low": low, "ci_high": high}
    only_cascade = int(np.count_nonzero(found.correct & ~right[:, -1]))
    only_final = int(np.count_nonzero(~found.correct & right[:, -1]))
    paired = _paired(only_cascade, only_final, len(right))
    final = exits[cascade(row).heads[-1]]
    interval = {"ci_low": final["ci_low"], "ci_high": final["ci_high"]}
    return Measurement(final["value"], {"n": len(right), **interval, "exits": exits, "paired": paired})


def _paired(only_cascade: int, only_final: int, n: int) -> dict[str, float]:
    low, high = paired_difference(only_final, only_cascade, n)
    return {
        "only_cascade": only_cascade, "only_final": only_final, "p": mcnemar(only_cascade, only_final),
        "difference": (only_cascade - only_final) / n, "ci_low": low, "ci_high": high,
    }  # fmt: skip
