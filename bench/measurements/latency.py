"""Time to classify one character on one CPU thread."""

from functools import partial

from bench.record import Measurement
from bench.row import Row
from bench.runtimes import Subject, prepare
from bench.timing import time_apart
from datamodules._characters import Characters

NAME = "latency"
UNIT = "ns"
VERSION = "2"
BETTER = "lower"
PHASE = "timing"

# More than fit a core's first cache; small data sets have fewer to validate with, and then all of them are taken.
_CHARACTERS = 256


def measure(row: Row) -> Measurement:
    """Median time to classify one character in eager mode on one CPU thread, beside a frozen reference.

    Raises:
        MeasurementError: the measuring process failed; its error as text.
        ValueError: too few validation characters.
    """
    return measure_runtime(row, "eager")


def measure_runtime(row: Row, runtime: str) -> Measurement:
    """Median time to classify one character in a runtime on one CPU thread, beside a frozen reference.

    Resize, normalisation, network and softmax of a native-size character are inside the clock: a user pays
    for all of them. One thread, batch 1, a process of its own, the row's weights, and validation characters
    in turn; every few rounds on a fresh copy of the classifier, since where it lies in memory changes its speed.

    Args:
        row: its weights file, architecture and validation characters; the network itself stays here.
        runtime: ``eager`` or another name of ``bench.runtimes``.

    Returns: nanoseconds; ``ratio_to_reference`` is what survives a change of load or machine, ``characters`` how many
        different ones were timed in turn.

    Raises:
        MeasurementError: the measuring process failed; its error as text.
        ValueError: too few validation characters.

    Source: MLPerf Inference rules, single stream; paired blocks against drift.
    """
    images = row.characters(_CHARACTERS)
    characters = Characters.pack(images, [0] * len(images))
    subject = Subject(row.architecture, row.classes, row.weights.resolve(), characters)
    found = time_apart(partial(prepare, runtime, subject), characters, row.rounds, row.seed)
    return Measurement(found.pop("value"), {**found, "characters": len(images)})
