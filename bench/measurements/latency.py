"""Latency: time to classify one character on one CPU thread, and its ratio to a reference network."""

from bench.latency.isolated_process import time_apart
from bench.measurements._agreement import disagreement
from bench.measurements._deployment import Deployment, deployed
from bench.measurements._row import Row
from bench.plugins import RUNTIMES
from bench.records.record import Measurement

NAME = "latency"
UNIT = "ns"
VERSION = "4"
BETTER = "lower"
PHASE = "timing"
COLUMNS = (
    ("ratio", "Latency, × reference [95 %]", "ratio", "Latency, × reference", "ratio"),
    ("latency", "ms/character (quartiles, p90 ≤ its bound)", "milliseconds", "ms/character", "millions"),
    ("all_threads", "ms on all threads", "noisy_millions", None, None),
)


def measure(row: Row) -> Measurement:
    """Median time to classify one character in eager mode on one CPU thread, in alternating blocks with a frozen
    reference network; the mean for systems whose cost depends on the character, such as those with early exits.

    Raises:
        MeasurementError: the measuring process failed; its error as text.
        ValueError: too few validation characters.
    """
    with deployed(row, "eager") as deployment:
        return measure_in(deployment)


def measure_in(deployment: Deployment) -> Measurement:
    """The same in any runtime.

    The clock includes resize, normalisation, network and softmax of a native-size character, because a user pays for
    all of them. The protocol uses one thread, batch 1, a separate process, the row's weights and validation characters
    in turn; it changes to a fresh copy of the classifier every few rounds, because its place in memory affects its
    speed. The first call after the reference has run is not timed, and rounds in which the machine slowed the reference
    are left out.

    Returns: nanoseconds. ``ratio_to_reference`` is less sensitive to load than the time; ``characters`` is the number
        of different ones; ``all_threads_ns`` is the time with ``all_threads`` threads, which is never ranked, see
        ``bench.latency.all_threads``; for ``agreement`` with eager see ``bench.measurements._agreement``. If the
        answers of trained weights differ too much from eager, there is an ``error`` instead of a time.

    Source: MLPerf Inference rules, single stream; paired blocks cancel drift.
    """
    row, characters = deployment.row, deployment.characters
    compared = deployment.agreement
    error = disagreement(compared, deployment.runtime) if row.trained else None
    if error is not None:
        return Measurement(None, {"error": error, **compared})
    all_threads = bool(RUNTIMES.literals(deployment.runtime.partition("-")[0]).get("ALL_THREADS"))
    found = time_apart(
        deployment.prepare, characters, row.rounds, row.seed, launches=row.launches, all_threads=all_threads
    )
    return Measurement(found.pop("value"), {**found, "characters": len(characters), **compared})
