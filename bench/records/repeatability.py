"""Widens the interval of a latency ratio by what it changes between runs in different hours on the same machine."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from bench.plugins import exported_name
from bench.records.load import Stored

_COMPARISON = "latency_repeat"  # whose record states the spread of its machine
_EAGER, _EXPORTED = "eager", "exported"  # kinds of runtimes in that record
_LEAST_HOURS = 1.0  # between the first and the last run; the load of a shared host changes slowly


@dataclass(frozen=True)
class Spread:
    """How far ratios differ between runs on one machine.

    ``eager`` and ``exported`` are half widths of 95 % intervals of the logarithm of a ratio, in eager mode and in
    runtimes with an exported file.
    """

    eager: float
    exported: float

    def of(self, runtime: str) -> float:
        """The half width in a runtime; empty for eager."""
        return self.exported if runtime and exported_name(runtime) else self.eager


def between_runs(stored: Iterable[Stored], version: str) -> dict[str, Spread]:
    """The spread of each machine that has runs of this VERSION of ``latency`` in different hours."""
    from scipy.stats import t

    found = {}
    for item in stored:
        ratio = item.record["measurements"].get("ratio", {}) if item.record["system"] == _COMPARISON else {}
        if ratio.get("latency_version") == version and ratio.get("hours", 0) >= _LEAST_HOURS:
            quantile = float(t.ppf(0.975, ratio["freedom"]))
            deviation = ratio["between_runs"]
            spread = Spread(quantile * deviation[_EAGER], quantile * deviation[_EXPORTED])
            found[item.record["machine"]["name"]] = spread
    return found


def widened(ratio: float, low: float, high: float, between: float) -> tuple[float, float]:
    """A ratio's interval within a run, and the half width of its logarithm between runs -> that of another run."""
    below, above = math.log(ratio / low), math.log(high / ratio)
    return ratio / math.exp(math.hypot(below, between)), ratio * math.exp(math.hypot(above, between))
