"""Aggregates the times of one or several measuring processes into the figures of a latency record."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from bench.records.statistics import mean_over_processes, percentile_bound, ratio_over_processes

AA_TOLERANCE = 0.01  # noisy if the ratio of two copies of the reference is further from 1
WAIT_TOLERANCE = 0.05  # noisy if other processes held the CPU for a larger share of the calls' time


@dataclass(frozen=True)
class ProcessTimes:
    """Times of one process in nanoseconds; ratios are logarithms of ratios of CPU times, one per round, by copy."""

    wall: list[int]  # of each call, all copies together
    cpu: list[int]  # CPU time of the process in the same calls
    ratios: list[list[float]]  # of the candidate to the reference
    controls: list[list[float]]  # of one copy of the reference to the other (A/A check)
    reference: list[int]  # wall time of each call of the reference
    data_dependent_cost: bool  # whether the cost depends on the character; the mean is then reported
    details: dict[str, Any]  # recorded as they are, for the first process only
    calm: bool = True  # whether there were enough rounds in which the machine was as fast as it can be
    fastest: float = math.inf  # CPU nanoseconds per call of the reference's fastest blocks


def aggregate(processes: Sequence[ProcessTimes], seed: int) -> dict[str, Any]:
    """``value``, median or mean nanoseconds per call, and the details of a latency record."""
    control = ratio_over_processes([process.controls for process in processes], seed)
    # How much longer the calls took than their CPU time, as a share of it.
    waited = sum(sum(process.wall) for process in processes) / sum(sum(process.cpu) for process in processes) - 1
    return {
        **_spread(processes),
        **_compared(processes, seed),
        "aa_ratio": control[0],
        "aa_ci": list(control[1:]),
        "reference_ns": statistics.median(chain.from_iterable(process.reference for process in processes)),
        **processes[0].details,
        "noisy": waited > WAIT_TOLERANCE or aa_check_fails(control) or not all(process.calm for process in processes),
    }


def aa_check_fails(control: tuple[float, float, float]) -> bool:
    """Whether two copies of the reference differ significantly or by more than AA_TOLERANCE; takes ratio, low, high."""
    ratio, low, high = control
    return not low <= 1 <= high or abs(ratio - 1) > AA_TOLERANCE


def _spread(processes: Sequence[ProcessTimes]) -> dict[str, Any]:
    wall = [ns for process in processes for ns in process.wall]
    q25, median, q75, p90 = (float(q) for q in np.percentile(wall, [25, 50, 75, 90]))
    mean, data_dependent_cost = statistics.fmean(wall), processes[0].data_dependent_cost
    return {
        # If the cost depends on the character, as with early exits, the mean predicts the cost of many characters.
        "value": mean if data_dependent_cost else median,
        **({"median": median} if data_dependent_cost else {}),
        "n": len(wall), "q25": q25, "q75": q75, "p90": p90, "p90_bound": percentile_bound(wall, 0.9),
        "mean": mean, "cpu_ns": statistics.fmean(ns for process in processes for ns in process.cpu),
    }  # fmt: skip


def _compared(processes: Sequence[ProcessTimes], seed: int) -> dict[str, Any]:
    ratios = [process.ratios for process in processes]
    estimate = mean_over_processes if processes[0].data_dependent_cost else ratio_over_processes
    ratio, low, high = estimate(ratios, seed)
    return {
        "rounds": sum(len(copy) for process in ratios for copy in process),
        "copies": sum(map(len, ratios)),
        **({"launches": [estimate([one], seed)[0] for one in ratios]} if len(ratios) > 1 else {}),
        "ratio_to_reference": ratio,
        "ratio_ci": [low, high],
    }
