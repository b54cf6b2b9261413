"""Time of each exit alone, beside the cascade's."""

import math
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from bench.measurements._exits import cascade, ending_at
from bench.record import Measurement
from bench.row import Row
from bench.runtimes import Subject, prepare
from bench.timing import time_apart
from datamodules._characters import Characters
from tasks.exits import ExitPolicy
from tasks.recogniser import save_weights

NAME = "exit_latency"
UNIT = "ns"
VERSION = "2"
BETTER = "lower"
PHASE = "timing"
NEEDS = "HEADS"

_KEPT = ("mean", "n", "ratio_to_reference", "ratio_ci", "noisy")
_CHARACTERS = 256  # as latency


def measure(row: Row) -> Measurement:
    """Mean time to classify one character by the final head alone in eager mode; that of each early head beside it.

    Each is a system of its own, timed by the protocol of ``latency``: everyone leaves at that head, and no other is
    computed. ``cascade`` is the system as it is, ``cascade_to_final`` the ratio of both to the reference network
    divided, with its interval.

    Raises:
        MeasurementError: a measuring process failed; its error as text.
        ValueError: too few validation characters, or a network without early exits.
    """
    return measure_runtime(row, "eager")


def measure_runtime(row: Row, runtime: str) -> Measurement:
    """The same in another runtime of ``bench.runtimes``."""
    network = cascade(row)
    own, exits = network.policy, {}
    with tempfile.TemporaryDirectory() as folder:
        for name in network.heads:
            exits[name] = _timed(row, runtime, ending_at(network, name), Path(folder) / f"{name}.safetensors")
        whole = _timed(row, runtime, own, Path(folder) / "cascade.safetensors")
    final = exits[network.heads[-1]]
    detail = {"n": final["n"], "exits": exits, "cascade": whole, "cascade_to_final": _divided(whole, final)}
    return Measurement(final["mean"], detail)


def _timed(row: Row, runtime: str, policy: ExitPolicy, weights: Path) -> dict[str, Any]:
    """One policy, which travels to the measuring process inside the weights."""
    network, images = cascade(row), row.characters(_CHARACTERS)
    own, network.policy = network.policy, policy
    try:
        save_weights(row.recogniser.network, weights)
    finally:
        network.policy = own
    characters = Characters.pack(images, [0] * len(images))
    subject = Subject(row.architecture, row.classes, weights.resolve(), characters)
    found = time_apart(partial(prepare, runtime, subject), characters, row.rounds, row.seed)
    return {key: found[key] for key in _KEPT}


def _divided(above: dict[str, Any], below: dict[str, Any]) -> dict[str, Any]:
    """Ratio of two ratios to the reference: distances to the limits, in logarithms, add up as squares (MOVER)."""
    ratio = above["ratio_to_reference"] / below["ratio_to_reference"]
    distances = []
    for found in (above, below):
        middle, limits = math.log(found["ratio_to_reference"]), [math.log(limit) for limit in found["ratio_ci"]]
        distances.append((middle - limits[0], limits[1] - middle))
    (down, up), (down_below, up_below) = distances
    low, high = ratio * math.exp(-math.hypot(down, up_below)), ratio * math.exp(math.hypot(up, down_below))
    return {"value": ratio, "ci_low": low, "ci_high": high}
