"""What the measurements of early exits share: answers on the test split, policies that end at one head, costs."""

from dataclasses import replace

import numpy as np
from torch import Tensor, nn

from bench.measurements._mac_counter import count
from bench.measurements._row import Row
from bench.records.predictions import Predictions
from tasks.early_exits.cascade import Cascade, cascade_of
from tasks.early_exits.policy import Costs, ExitPolicy, HeadAnswers, expected_cost, follow, path_costs
from tasks.early_exits.training import multiply_adds
from tasks.recipe import LEAST_THRESHOLD

ALWAYS = LEAST_THRESHOLD  # every top probability reaches it


def cascade(row: Row) -> Cascade:
    """The row's network with early exits.

    Raises:
        ValueError: it has none.
    """
    found = cascade_of(row.recogniser.network)
    if found is None:
        raise ValueError(f"{row.system}: wanted a network with early exits, got one with a single head")
    return found


def answered(row: Row) -> tuple[Predictions, HeadAnswers]:
    """The row's predictions, and what each head says of the same test characters.

    Raises:
        ValueError: no predictions, or those of a network without early exits.
    """
    found = row.predictions
    if found is None or found.heads is None or found.exits is None or len(found.labels) == 0:
        raise ValueError(f"{row.system}: wanted every head's predictions on the test split, got none")
    return found, found.heads


def ending_at(network: Cascade, head: str) -> ExitPolicy:
    """The policy by which every character leaves at one head, by its own answer alone."""
    return replace(network.policy, exits={head: ALWAYS} if head != network.heads[-1] else {}, average=False)


def on_test(row: Row, policy: ExitPolicy, parts: Costs, times: Costs) -> dict[str, float]:
    """What a policy gives on the row's test characters.

    Args:
        row: with every head's predictions, by the temperatures of this policy.
        policy: any; that of the row stays as it is.
        parts: multiply-adds.
        times: nanoseconds.
    """
    heads, (found, answers) = cascade(row).heads, answered(row)
    classes, left = follow(policy, heads, answers)
    return {
        "accuracy": float(np.mean(classes == found.labels)),
        "exit_rate": float(np.mean(left < len(heads) - 1)),
        "macs": expected_cost(left, path_costs(policy, heads, parts)),
        "latency": expected_cost(left, path_costs(policy, heads, times)),
    }  # fmt: skip


def macs_of_parts(row: Row) -> Costs:
    """Multiply-adds of each stage and head for one character, strictly counted.

    Raises:
        ValueError: an operator whose cost is not known.
    """

    def strictly(layers: nn.Module, maps: Tensor) -> float:
        found = count(layers, maps)
        if found.incomplete:
            raise ValueError(f"{row.system}: unknown costs: {', '.join(found.incomplete)}")
        return float(found.macs)

    return multiply_adds(cascade(row), row.recogniser.channels, row.recogniser.size, strictly)


def policy_detail(policy: ExitPolicy) -> dict[str, object]:
    """A policy as records state it."""
    return {
        "leaves_at": dict(policy.exits), "average": policy.average,
        "temperatures": list(policy.temperatures),
    }  # fmt: skip
