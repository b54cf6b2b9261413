"""Top-5 accuracy on the test split."""

from bench.measurements._accuracy import top_k_accuracy
from bench.measurements._row import Row
from bench.records.record import Measurement

NAME = "accuracy_top5"
UNIT = "ratio"
VERSION = "1"
BETTER = "higher"
PHASE = "figures"
COLUMN = ("Top-5, %", "share", None, None)


def measure(row: Row) -> Measurement:
    """The share of test characters whose class is among the five most probable, with Wilson's 95 % interval."""
    return top_k_accuracy(row, 5)
