"""How many characters leave early."""

from bench.measurements._exits import answered, cascade, policy_detail
from bench.measurements._row import Row
from bench.records.record import Measurement
from bench.records.statistics import wilson

NAME = "exit_rate"
UNIT = "ratio"
VERSION = "1"
BETTER = "higher"
PHASE = "figures"
COLUMN = None
NEEDS = "HEADS"


def measure(row: Row) -> Measurement:
    """The share of test characters that leave before the final head, with Wilson's 95 % interval.

    ``exits`` has the share that leaves at each head and how accurately these are read; the policy was chosen on
    validation characters and stands beside it.

    Raises:
        ValueError: no predictions, or a network without early exits.
    """
    network, (found, _) = cascade(row), answered(row)
    assert found.exits is not None
    exits = {}
    for number, name in enumerate(network.heads):
        here = found.exits == number
        right = float(found.correct[here].mean()) if here.any() else None
        exits[name] = {"value": float(here.mean()), "accuracy": right}
    early = int((found.exits < len(network.heads) - 1).sum())
    low, high = wilson(early, len(found.exits))
    detail = {"n": len(found.exits), "ci_low": low, "ci_high": high, "exits": exits, **policy_detail(network.policy)}
    return Measurement(early / len(found.exits), detail)
