"""Early exits: accuracy, exit rate, multiply-adds and time over a grid of thresholds, and within time budgets."""

from dataclasses import replace

from bench.measurements._budgets import within_budgets
from bench.measurements._exits import cascade, head_predictions, macs_of_parts, on_test
from bench.measurements._row import Row
from bench.records.record import Measurement
from tasks.early_exits.policy import GRID

NAME = "exit_curve"
UNIT = "ns"
VERSION = "3"
BETTER = "lower"
PHASE = "timing"  # needs the times of ``exit_latency``
COLUMN = None
NEEDS = "HEADS"
STORED = False  # a packed network computes the same as the network that it is compressed from


def measure(row: Row) -> Measurement:
    """Mean time per test character: the time of each exit, weighted by the share of characters that leave there.

    A character that reaches the final head costs its time plus, in proportion to their multiply-adds, the early heads
    that it passed. ``points`` has the time, accuracy, exit rate and multiply-adds for other thresholds of the first
    exit; no choice depends on them, because the policy was chosen on validation characters before. ``budgets`` has the
    policies that are chosen on validation characters within shares of the final head's mean time, and their figures on
    the test characters.

    Raises:
        ValueError: no predictions, a network without early exits, or no ``exit_latency``.
    """
    network, (predictions, _) = cascade(row), head_predictions(row)
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
    curve = {"chosen": chosen, "points": points, "budgets": within_budgets(row, parts, times)}
    return Measurement(chosen["latency"], {"n": len(predictions.labels), **curve})
