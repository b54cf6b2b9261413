"""The timing protocol on the reference itself: how often it finds no difference where there is none."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np

from bench.latency.isolated_process import time_apart
from bench.records.record import Measurement
from bench.runtimes._base import Loader
from bench.suites.hccr import SUITE

GOAL = "at least 1: nine of ten runs within 1 % of 1, and 93 % of intervals hold 1, quiet and busy"
LIMIT = 1.0
BETTER = "higher"
VERSION = "1"
RUNS = 100  # of each condition; a share of 93 % is then known to 5 points
WITHIN, COVER = 0.9, 0.93  # shares of runs that are wanted
NEAR = 0.01  # a ratio within this of 1
# One thread that multiplies matrices without end: it wants a core, the caches and the memory.
_NEIGHBOUR = "import numpy\na = numpy.ones((512, 512), numpy.float32)\nwhile True: a @ a"


def compare(runs: int = RUNS, rounds: int = SUITE.scales["quick"].rounds) -> Measurement:
    """Least of the shares of runs near 1 and of intervals that hold 1, each over its goal, of two conditions.

    A run is one of the protocol as rows are timed, in a fresh measuring process, with the reference for a candidate.

    Args:
        runs: of each condition.
        rounds: of each run.

    Returns: the least share over its goal; ``conditions`` has each share, how many runs were marked ``noisy``, the
        standard deviation of the ratios and the median half width of their intervals.

    Raises:
        MeasurementError: a measuring process failed; its error as text.
    """
    conditions = {}
    for name, beside in (("quiet", nullcontext()), ("busy", _neighbour())):
        with beside:
            conditions[name] = _shares([_run(rounds, seed) for seed in range(runs)])
    shares = [(found["within"] / WITHIN, found["cover"] / COVER) for found in conditions.values()]
    return Measurement(min(map(min, shares)), {"n": runs, "rounds": rounds, "conditions": conditions})


class _Inputs:
    """The reference's one input in the place of characters."""

    def __len__(self) -> int:
        return 1

    def image(self, index: int) -> Any:
        from bench.latency.reference_network import reference_input  # in the measuring process: it loads torch

        return reference_input()


def _candidate() -> Any:
    """The frozen reference itself in a candidate's place: any call around it took 0.15 % longer, and that was found."""
    from bench.latency.reference_network import reference

    call: Any = reference()
    call.preprocess = lambda image: image
    return call


def _prepare() -> Loader:
    return _candidate


def _run(rounds: int, seed: int) -> dict[str, Any]:
    inputs: Any = _Inputs()
    return time_apart(_prepare, inputs, rounds, seed)


def _shares(found: list[dict[str, Any]]) -> dict[str, float]:
    ratios = np.array([one["ratio_to_reference"] for one in found])
    low, high = np.array([one["ratio_ci"] for one in found]).T
    return {
        "within": float(np.mean(np.abs(ratios - 1) <= NEAR)),
        "cover": float(np.mean((low <= 1) & (high >= 1))),
        "noisy": float(np.mean([one["noisy"] for one in found])),
        "deviation": float(ratios.std()),
        "half_width": float(np.median(high - low) / 2),
    }


@contextmanager
def _neighbour() -> Iterator[None]:
    """A process that keeps one core busy."""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    busy = subprocess.Popen([sys.executable, "-c", _NEIGHBOUR], env=environment)
    try:
        yield
    finally:
        busy.kill()
        busy.wait()
