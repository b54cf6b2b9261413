"""What every threshold would give: accuracy, exits, multiply-adds and time; and what fits budgets of time."""

from dataclasses import replace

from bench.measurements._budgets import within_budgets
from bench.measurements._exits import answered, cascade, macs_of_parts, on_test
from bench.measurements._row import Row
from bench.records.record import Measurement
from tasks.early_exits.policy import GRID

NAME = "exit_curve"
UNIT = "ns"
VERSION = "2"
BETTER = "lower"
PHASE = "timing"  # it needs the times of the exits
COLUMN = None
NEEDS = "HEADS"
STORED = False  # a packed network computes as the one that it was made from


def measure(row: Row) -> Measurement:
    """Mean time of a test character: that of each exit, weighed by how many leave there.

    Those who stay cost what the final head alone does and, in proportion to the multiply-adds, the heads that they
    were asked at in vain. ``points`` has the same for other thresholds of the first exit, with accuracy, exit rate and
    multiply-adds; nothing is chosen by them: the policy was, on validation characters, before. ``budgets`` has the
    policies that validation characters choose within shares of the final head's mean time, and what they give on the
    test characters.

    Raises:
        ValueError: no predictions, a network without early exits, or no ``exit_latency`` to weigh.
    """
    network, (found, _) = cascade(row), answered(row)
    timed = row.measured.get("exit_latency", {}).get("exits")
    if not timed:
        raise ValueError(f"{row.system}: wanted the times of its exits, got none; measure exit_latency first")
    parts = macs_of_parts(row)
    times = replace(parts, alone=tuple(timed[name]["mean"] for name in network.heads))
    chosen = on_test(row, network.policy, parts, times)
    exits = network.policy.exits or dict.fromkeys(network.heads[:1], 1.0)
    first, points = next(iter(exits)), []
    for threshold in GRID:
        policy = replace(network.policy, exits={**exits, first: threshold})
        points.append({"threshold": threshold, **on_test(row, policy, parts, times)})
    budgets = within_budgets(row, parts, times)
    return Measurement(
        chosen["latency"], {"n": len(found.labels), "chosen": chosen, "points": points, "budgets": budgets}
    )
