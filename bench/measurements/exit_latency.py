"""Early exits: latency of each head alone, and of the cascade."""

from typing import Any

from bench.latency.isolated_process import time_apart
from bench.measurements._deployment import Deployment, deployed
from bench.measurements._exits import cascade, ending_at
from bench.measurements._row import Row
from bench.records.record import Measurement
from bench.records.statistics import ratio_of_ratios

NAME = "exit_latency"
UNIT = "ns"
VERSION = "3"
BETTER = "lower"
PHASE = "timing"
COLUMN = None
OTHER_FILES = True  # each head alone is a file of its own; the cascade's entry names the exported one
NEEDS = "HEADS"
STORED = False  # a packed network computes the same as the network that it is compressed from

_KEPT = ("mean", "n", "ratio_to_reference", "ratio_ci", "noisy")


def measure(row: Row) -> Measurement:
    """Mean time to classify one character with the final head alone, with which the cascade is compared; measured
    as ``latency`` is.

    ``exits`` has the time of each head alone: every character leaves at that head, and no other head is computed.
    ``cascade`` is the time of the system with its own policy, ``cascade_to_final`` the quotient of their ratios to the
    reference network, with its interval.

    Raises:
        MeasurementError: a measuring process failed; its error as text.
        ValueError: too few validation characters, or a network without early exits.
    """
    cascade(row)
    with deployed(row, "eager") as deployment:
        return measure_in(deployment)


def measure_in(deployment: Deployment) -> Measurement:
    """The same in any runtime."""
    network = cascade(deployment.row)
    exits = {name: _timed(deployment.with_policy(ending_at(network, name), name)) for name in network.heads}
    whole, final = {**_timed(deployment), "file_sha256": deployment.file_sha256}, exits[network.heads[-1]]
    ratios = ((one["ratio_to_reference"], *one["ratio_ci"]) for one in (whole, final))
    quotient = dict(zip(("value", "ci_low", "ci_high"), ratio_of_ratios(*ratios), strict=True))
    return Measurement(final["mean"], {"n": final["n"], "exits": exits, "cascade": whole, "cascade_to_final": quotient})


def _timed(deployment: Deployment) -> dict[str, Any]:
    row = deployment.row
    found = time_apart(deployment.prepare, deployment.characters, row.rounds, row.seed)
    return {key: found[key] for key in _KEPT}
