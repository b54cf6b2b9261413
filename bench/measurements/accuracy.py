"""Top-1 accuracy on the test split."""

from bench.measurements._accuracy import lost, share, within
from bench.measurements._deployment import Deployment
from bench.measurements._row import Row
from bench.records.record import Measurement

NAME = "accuracy"
UNIT = "ratio"
VERSION = "1"
BETTER = "higher"
PHASE = "figures"
COLUMN = ("Accuracy, % [95 %]", "accuracy")


def measure(row: Row) -> Measurement:
    """The share of test characters whose most probable class is right, with Wilson's 95 % interval."""
    return within(row, 1)


def measure_in(deployment: Deployment) -> Measurement:
    """The same in any runtime, on the same test characters, or on some of them where they are very many.

    Returns: the share; ``drop`` is what the runtime loses of eager's accuracy on these characters, ``drop_ci`` its
        95 % interval from the pairs of answers to the same character.

    Raises:
        MeasurementError: the export failed, or the runtime is missing; its error as text.
        ValueError: no answers of eager on the test part.
    """
    row, found = deployment.row, deployment.answers
    if row.predictions is None:
        raise ValueError(f"{row.system}: wanted predictions on the test split, got none")
    right = found.top == row.predictions.labels[found.places]
    counted = share(right)
    return Measurement(counted.value, {**counted.detail, **lost(row.predictions.correct[found.places], right)})
