"""Widens the interval of a latency ratio by what it changes between runs in different hours on the same machine."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bench.plugins import exported_name
from bench.records.load import Stored

_COMPARISON = "latency_repeat"  # whose record states the spread of its machine
_LEAST_HOURS = 0.5  # between the first and the last run; the load of a shared host changes slowly


@dataclass(frozen=True)
class Spread:
    """How far ratios differ between runs on one machine: half widths of 95 % intervals of their logarithms.

    ``eager`` is for eager mode, ``exported`` for runtimes with an exported file, ``noisy`` for noisy latencies.
    """

    eager: float
    exported: float
    noisy: float

    def of(self, runtime: str, noisy: bool) -> float:
        """The half width of a latency in a runtime; empty for eager."""
        usual = self.exported if runtime and exported_name(runtime) else self.eager
        return max(usual, self.noisy) if noisy else usual


def between_runs(stored: Iterable[Stored], version: str) -> dict[str, Spread]:
    """The spread of each machine that has runs of this VERSION of ``latency`` in different hours."""
    found = {}
    for item in stored:
        ratio = item.record["measurements"].get("ratio", {}) if item.record["system"] == _COMPARISON else {}
        if ratio.get("latency_version") == version and ratio.get("hours", 0) >= _LEAST_HOURS:
            half = {kind: _half_width(ratio, kind) for kind in ratio["between_runs"]}
            widest = max(half.values())  # for a kind that was never measured
            found[item.record["machine"]["name"]] = Spread(
                *(half.get(kind, widest) for kind in ("eager", "exported", "noisy"))
            )
    return found


def _half_width(ratio: Mapping[str, Any], kind: str) -> float:
    from scipy.stats import t

    return float(t.ppf(0.975, ratio["freedom"][kind]) * ratio["between_runs"][kind])


def widened(ratio: float, low: float, high: float, between: float) -> tuple[float, float]:
    """A ratio's interval within a run, and the half width of its logarithm between runs -> that of another run."""
    below, above = math.log(ratio / low), math.log(high / ratio)
    return ratio / math.exp(math.hypot(below, between)), ratio * math.exp(math.hypot(above, between))
