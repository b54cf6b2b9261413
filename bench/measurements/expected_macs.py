"""Early exits: mean multiply-adds per character."""

from bench.measurements._exits import cascade, head_predictions, macs_of_parts
from bench.measurements._row import Row
from bench.records.record import Measurement
from tasks.early_exits.policy import expected_cost, path_costs

NAME = "expected_macs"
UNIT = "mac"
VERSION = "1"
BETTER = "lower"
PHASE = "figures"
COLUMN = None
NEEDS = "HEADS"


def measure(row: Row) -> Measurement:
    """Mean multiply-adds per test character, given the head at which each one leaves.

    A path costs all stages up to its head, and all heads that are computed on the way. ``exits`` has the cost of
    leaving at each head, ``share_of_final`` the mean as a share of the final head alone.

    Raises:
        ValueError: no predictions, a network without early exits, or an operator of unknown cost.
    """
    network, (found, _), parts = cascade(row), head_predictions(row), macs_of_parts(row)
    assert found.exits is not None
    paths = path_costs(network.policy, network.heads, parts)
    mean = expected_cost(found.exits, paths)
    detail = {"exits": dict(zip(network.heads, map(int, paths), strict=True)), "share_of_final": mean / parts.final}
    return Measurement(mean, {"n": len(found.exits), **detail})
