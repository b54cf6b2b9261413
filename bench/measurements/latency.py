"""Time to classify one character on one CPU thread."""

from bench.latency.isolated_process import time_apart
from bench.measurements._agreement import disagreement
from bench.measurements._deployment import Deployment, deployed
from bench.measurements._row import Row
from bench.plugins import RUNTIMES
from bench.records.record import Measurement

NAME = "latency"
UNIT = "ns"
VERSION = "3"
BETTER = "lower"
PHASE = "timing"
COLUMNS = (
    ("ratio", "Latency, × reference [95 %]", "ratio", "Latency, × reference", "ratio"),
    ("latency", "ms/character (quartiles, p90 ≤ its bound)", "milliseconds", "ms/character", "millions"),
    ("all_threads", "ms on all threads", "millions", None, None),
)


def measure(row: Row) -> Measurement:
    """Median time to classify one character in eager mode on one CPU thread, beside a frozen reference; of systems
    whose cost varies by character, such as those with early exits, the mean.

    Raises:
        MeasurementError: the measuring process failed; its error as text.
        ValueError: too few validation characters.
    """
    with deployed(row, "eager") as deployment:
        return measure_in(deployment)


def measure_in(deployment: Deployment) -> Measurement:
    """Median time to classify one character in a runtime on one CPU thread, beside a frozen reference; of systems
    whose cost varies by character, such as those with early exits, the mean.

    Resize, normalisation, network and softmax of a native-size character are inside the clock: a user pays
    for all of them. One thread, batch 1, a process of its own, the row's weights, and validation characters
    in turn; every few rounds on a fresh copy of the classifier, since where it lies in memory changes its speed.

    Args:
        deployment: a row in ``eager`` or another runtime of ``bench.runtimes``.

    Returns: nanoseconds; ``ratio_to_reference`` is what survives a change of load or machine, ``characters`` how many
        different ones were timed in turn, ``all_threads_ns`` the time of ``all_threads`` threads, which is never
        ranked, and ``agreement`` with eager is what ``bench.measurements._agreement`` says. Where trained weights
        answer too differently from eager there is an ``error`` instead of a time.

    Raises:
        MeasurementError: the measuring process failed; its error as text.
        ValueError: too few validation characters.

    Source: MLPerf Inference rules, single stream; paired blocks against drift.
    """
    row, characters = deployment.row, deployment.characters
    file = deployment.runtime.partition("-")[0]
    all_threads = bool(RUNTIMES.literals(file).get("ALL_THREADS"))
    compared = deployment.agreement
    error = disagreement(compared, deployment.runtime) if row.trained else None
    if error is not None:
        return Measurement(None, {"error": error, **compared})
    found = time_apart(
        deployment.prepare, characters, row.rounds, row.seed, launches=row.launches, all_threads=all_threads
    )
    return Measurement(found.pop("value"), {**found, "characters": len(characters), **compared})
