"""Top-1 accuracy on the test split."""

from bench.measurements._accuracy import within
from bench.record import Measurement
from bench.row import Row

NAME = "accuracy"
UNIT = "ratio"
VERSION = "1"
BETTER = "higher"
PHASE = "figures"


def measure(row: Row) -> Measurement:
    """The share of test characters whose most probable class is right, with Wilson's 95 % interval."""
    return within(row, 1)
