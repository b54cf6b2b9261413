"""Paired rounds of a comparison: alternating order, and the median ratio with its bootstrap interval."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.records.record import Measurement
from bench.records.statistics import bootstrap_ratio


def alternate(rounds: int, *programs: Callable[[int], float]) -> NDArray[np.float64]:
    """Figures of each program in each round, (rounds, programs); every second round runs them in reverse order."""
    figures = []
    for number in range(rounds):
        order = programs if number % 2 else programs[::-1]
        figure = {program: program(number) for program in order}
        figures.append([figure[program] for program in programs])
    return np.array(figures)


def median_ratio(ratios: Sequence[float] | NDArray[np.float64], **detail: Any) -> Measurement:
    """The median of the rounds' ratios, with its interval."""
    ratio, low, high = bootstrap_ratio(np.log(ratios), seed=0)
    return Measurement(ratio, {"n": len(ratios), "ci_low": low, "ci_high": high, **detail})
