"""Early exits: accuracy of each head alone, and of the cascade against its final head."""

import numpy as np
from numpy.typing import NDArray

from bench.measurements._accuracy import share
from bench.measurements._exits import cascade, head_predictions
from bench.measurements._row import Row
from bench.records.record import Measurement
from bench.records.statistics import mcnemar, paired_difference

NAME = "exit_accuracy"
UNIT = "ratio"
VERSION = "2"
BETTER = "higher"
PHASE = "figures"
COLUMN = None
NEEDS = "HEADS"


def measure(row: Row) -> Measurement:
    """Top-1 accuracy of the final head alone on the test split, with which the cascade is compared.

    ``exits`` has the accuracy of each head with Wilson's 95 % interval. ``paired`` compares the cascade with its final
    head: the number of characters that only one of them classifies correctly, McNemar's p value, and the difference of
    accuracy, cascade minus final head, with its 95 % interval from the pairs.

    Raises:
        ValueError: no predictions, or a network without early exits.
    """
    predictions, heads = head_predictions(row)
    correct = heads.top == predictions.labels[:, None]
    exits = {}
    for number, name in enumerate(cascade(row).heads):
        alone = share(correct[:, number])
        exits[name] = {"value": alone.value, "ci_low": alone.detail["ci_low"], "ci_high": alone.detail["ci_high"]}
    final = share(correct[:, -1])
    return Measurement(
        final.value, {**final.detail, "exits": exits, "paired": _paired(predictions.correct, correct[:, -1])}
    )


def _paired(whole: NDArray[np.bool_], final: NDArray[np.bool_]) -> dict[str, float]:
    only_cascade, only_final, n = int((whole & ~final).sum()), int((~whole & final).sum()), len(final)
    low, high = paired_difference(only_final, only_cascade, n)
    return {
        "only_cascade": only_cascade, "only_final": only_final, "p": mcnemar(only_cascade, only_final),
        "difference": (only_cascade - only_final) / n, "ci_low": low, "ci_high": high,
    }  # fmt: skip
