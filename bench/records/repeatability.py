"""Widens the interval of a latency ratio by what it changes between runs in different hours on the same machine."""

import math
from collections.abc import Iterable, Mapping

from bench.records.load import Stored

EAGER, EXPORTED = "eager", "exported"  # kinds of runtimes
_NORMAL_95 = 1.96  # half width of a 95 % interval in standard deviations


def between_runs(stored: Iterable[Stored]) -> dict[str, Mapping[str, float]]:
    """By machine, the standard deviations between runs that its record of comparison ``latency_repeat`` states."""
    found: dict[str, Mapping[str, float]] = {}
    for item in stored:
        if item.record["system"] == "latency_repeat":
            spread = item.record["measurements"].get("ratio", {}).get("between_runs")
            if spread:
                found[item.record["machine"]["name"]] = spread
    return found


def widened(ratio: float, low: float, high: float, deviation: float) -> tuple[float, float]:
    """A ratio's 95 % interval within a run, and a deviation of its logarithm between runs -> that of another run."""
    below, above = math.log(ratio / low), math.log(high / ratio)
    between = _NORMAL_95 * deviation
    return ratio / math.exp(math.hypot(below, between)), ratio * math.exp(math.hypot(above, between))
