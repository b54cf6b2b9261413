"""Time of each exit alone, beside the cascade's."""

from typing import Any

from bench.latency.isolated_process import time_apart
from bench.measurements._deployment import Deployment, deployed
from bench.measurements._exits import cascade, ending_at
from bench.measurements._row import Row
from bench.records.record import Measurement
from bench.records.statistics import ratio_of_ratios

NAME = "exit_latency"
UNIT = "ns"
VERSION = "2"
BETTER = "lower"
PHASE = "timing"
COLUMN = None
NEEDS = "HEADS"
STORED = False  # a packed network computes as the one that it was made from

_KEPT = ("mean", "n", "ratio_to_reference", "ratio_ci", "noisy")


def measure(row: Row) -> Measurement:
    """Mean time to classify one character by the final head alone; that of each early head beside it.

    Each is a system of its own, timed by the protocol of ``latency``: everyone leaves at that head, and no other is
    computed. ``cascade`` is the system as it is, ``cascade_to_final`` the ratio of both to the reference network
    divided, with its interval.

    Raises:
        MeasurementError: a measuring process failed; its error as text.
        ValueError: too few validation characters, or a network without early exits.
    """
    cascade(row)
    with deployed(row, "eager") as deployment:
        return measure_in(deployment)


def measure_in(deployment: Deployment) -> Measurement:
    """The same in any runtime."""
    network, exits = cascade(deployment.row), {}
    for name in network.heads:
        exits[name] = _timed(deployment.with_policy(ending_at(network, name), name))
    whole, final = _timed(deployment), exits[network.heads[-1]]
    detail = {"n": final["n"], "exits": exits, "cascade": whole, "cascade_to_final": _divided(whole, final)}
    return Measurement(final["mean"], detail)


def _timed(deployment: Deployment) -> dict[str, Any]:
    row = deployment.row
    found = time_apart(deployment.prepare, deployment.characters, row.rounds, row.seed)
    return {key: found[key] for key in _KEPT}


def _divided(above: dict[str, Any], below: dict[str, Any]) -> dict[str, Any]:
    ratios = ((found["ratio_to_reference"], *found["ratio_ci"]) for found in (above, below))
    return dict(zip(("value", "ci_low", "ci_high"), ratio_of_ratios(*ratios), strict=True))
