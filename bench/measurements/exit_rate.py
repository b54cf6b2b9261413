"""Early exits: the share of characters that leave before the final head."""

from bench.measurements._accuracy import share
from bench.measurements._exits import cascade, head_predictions, policy_detail
from bench.measurements._row import Row
from bench.records.record import Measurement

NAME = "exit_rate"
UNIT = "ratio"
VERSION = "1"
BETTER = "higher"
PHASE = "figures"
COLUMN = None
NEEDS = "HEADS"


def measure(row: Row) -> Measurement:
    """The share of test characters that leave before the final head, with Wilson's 95 % interval.

    ``exits`` has the share that leaves at each head, and the accuracy on these characters. The policy, chosen on
    validation characters, is recorded too.

    Raises:
        ValueError: no predictions, or a network without early exits.
    """
    network, (found, _) = cascade(row), head_predictions(row)
    assert found.exits is not None
    exits = {}
    for number, name in enumerate(network.heads):
        here = found.exits == number
        accuracy = float(found.correct[here].mean()) if here.any() else None
        exits[name] = {"value": float(here.mean()), "accuracy": accuracy}
    early = share(found.exits < len(network.heads) - 1)
    return Measurement(early.value, {**early.detail, "exits": exits, **policy_detail(network.policy)})
