"""What measuring processes saw, joined to the figures that a record keeps of a latency."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from bench.records.statistics import joined_ratio, launches_mean, percentile_bound

NOISY = 0.01  # the reference differs from itself by more than this share: noisy
TAKEN = 0.05  # others held the CPU for more than this share of the calls' time: noisy


@dataclass(frozen=True)
class Launch:
    """One process's times; nanoseconds, and natural logarithms of ratios of CPU times, one a round, by copy.

    Attributes:
        wall: of each call, all copies together.
        cpu: of the same calls, the process's CPU time.
        ratios: of the candidate to the reference.
        controls: of the reference to itself.
        reference: wall time of each of its calls.
        data_dependent_cost: whether characters differ in cost, so that the mean is what counts.
        noted: what belongs to the first process alone, and goes into the record as it is.
    """

    wall: list[int]
    cpu: list[int]
    ratios: list[list[float]]
    controls: list[list[float]]
    reference: list[int]
    data_dependent_cost: bool
    noted: dict[str, Any]


def joined(launches: Sequence[Launch], seed: int) -> dict[str, Any]:
    """``value``, the median, or mean, in nanoseconds per call, and the details that a record keeps beside it."""
    controls = [launch.controls for launch in launches]
    control = joined_ratio(controls, seed)
    return {
        **_spread(launches),
        **_compared(launches, seed),
        "aa_ratio": control[0],
        "aa_ci": list(control[1:]),
        "reference_ns": statistics.median(chain.from_iterable(launch.reference for launch in launches)),
        **launches[0].noted,
        "noisy": _taken(launches) > TAKEN or differs(control),
    }


def differs(control: tuple[float, float, float]) -> bool:
    """Whether the reference differs from itself, by its ratio to itself and the interval of that."""
    ratio, low, high = control
    return not low <= 1 <= high or abs(ratio - 1) > NOISY


def _spread(launches: Sequence[Launch]) -> dict[str, Any]:
    wall = [ns for launch in launches for ns in launch.wall]
    q25, median, q75, p90 = (float(q) for q in np.percentile(wall, [25, 50, 75, 90]))
    mean, data_dependent_cost = statistics.fmean(wall), launches[0].data_dependent_cost
    return {
        "value": mean if data_dependent_cost else median,
        **({"median": median} if data_dependent_cost else {}),
        "n": len(wall),
        "q25": q25,
        "q75": q75,
        "p90": p90,
        "p90_bound": percentile_bound(wall, 0.9),
        # Where cost depends on the character, as with early exits, the means are what many characters cost.
        "mean": mean,
        "cpu_ns": statistics.fmean(ns for launch in launches for ns in launch.cpu),
    }


def _compared(launches: Sequence[Launch], seed: int) -> dict[str, Any]:
    ratios = [launch.ratios for launch in launches]
    found = launches_mean if launches[0].data_dependent_cost else joined_ratio
    ratio, low, high = found(ratios, seed)
    return {
        "rounds": sum(len(copy) for launch in ratios for copy in launch),
        "copies": sum(map(len, ratios)),
        **({"launches": [found([one], seed)[0] for one in ratios]} if len(ratios) > 1 else {}),
        "ratio_to_reference": ratio,
        "ratio_ci": [low, high],
    }


def _taken(launches: Sequence[Launch]) -> float:
    """How much longer the calls took than the CPU worked on them, as a share."""
    return sum(sum(launch.wall) for launch in launches) / sum(sum(launch.cpu) for launch in launches) - 1
