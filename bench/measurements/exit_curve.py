"""What every threshold would give: accuracy, exits, multiply-adds and time."""

from dataclasses import replace

import numpy as np

from bench.measurements._exits import answered, cascade, macs_of_parts
from bench.record import Measurement
from bench.row import Row
from tasks.exits import GRID, ExitPolicy, expected_cost, follow, path_costs

NAME = "exit_curve"
UNIT = "ns"
VERSION = "1"
BETTER = "lower"
PHASE = "timing"  # it needs the times of the exits
NEEDS = "HEADS"


def measure(row: Row) -> Measurement:
    """Mean time of a test character: that of each exit, weighed by how many leave there.

    Those who stay cost what the final head alone does and, in proportion to the multiply-adds, the heads that they
    were asked at in vain. ``points`` has the same for other thresholds, with accuracy, exit rate and multiply-adds;
    nothing is chosen by them: the policy was, on validation characters, before.

    Raises:
        ValueError: no predictions, a network without early exits, or no ``exit_latency`` to weigh.
    """
    network, (found, heads) = cascade(row), answered(row)
    timed = row.measured.get("exit_latency", {}).get("exits")
    if not timed:
        raise ValueError(f"{row.system}: wanted the times of its exits, got none; measure exit_latency first")
    parts = macs_of_parts(row)

    def point(policy: ExitPolicy) -> dict[str, float]:
        classes, left = follow(policy, network.heads, heads)
        paths = path_costs(policy, network.heads, parts)
        alone = [sum(parts.stages[: n + 1]) + parts.heads[n] for n in range(len(paths))]
        # An exit's own time stands for its path without other heads; these are charged at its rate per multiply-add.
        times = [timed[name]["mean"] * path / own for name, path, own in zip(network.heads, paths, alone, strict=True)]
        return {
            "threshold": policy.threshold, "accuracy": float(np.mean(classes == found.labels)),
            "exit_rate": float(np.mean(left < len(paths) - 1)), "macs": expected_cost(left, paths),
            "latency": expected_cost(left, times),
        }  # fmt: skip

    chosen = point(network.policy)
    exits = network.policy.exits or network.heads[:1]
    points = [point(replace(network.policy, exits=exits, threshold=threshold)) for threshold in GRID]
    return Measurement(chosen["latency"], {"n": len(found.labels), "chosen": chosen, "points": points})
