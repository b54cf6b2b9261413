"""Top-1 accuracy on the test split."""

from bench.measurements._accuracy import accuracy_drop, share, top_k_accuracy
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
    """The share of test characters whose most probable class is correct, with Wilson's 95 % interval."""
    return top_k_accuracy(row, 1)


def measure_in(deployment: Deployment) -> Measurement:
    """The same in any runtime, on the test characters, or on a part of them if they are very many.

    Returns: the share; ``drop`` is the accuracy lost against eager on these characters, ``drop_ci`` its 95 % interval
        from the pairs of answers to the same character.

    Raises:
        MeasurementError: the export failed, or the runtime is missing; its error as text.
    """
    row, answers = deployment.row, deployment.answers
    if row.predictions is None:
        raise ValueError(f"{row.system}: wanted predictions on the test split, got none")
    correct = answers.top == row.predictions.labels[answers.indices]
    found, drop = share(correct), accuracy_drop(row.predictions.correct[answers.indices], correct)
    return Measurement(found.value, {**found.detail, **drop})
