"""Shared by the measurements of early exits: predictions of each head, single-exit policies, costs of the parts."""

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
        ValueError: the network has a single head.
    """
    found = cascade_of(row.recogniser.network)
    if found is None:
        raise ValueError(f"{row.system}: wanted a network with early exits, got one with a single head")
    return found


def head_predictions(row: Row) -> tuple[Predictions, HeadAnswers]:
    """The row's predictions, and each head's answers to the same test characters.

    Raises:
        ValueError: no predictions, or predictions of a network without early exits.
    """
    found = row.predictions
    if found is None or found.heads is None or found.exits is None or len(found.labels) == 0:
        raise ValueError(f"{row.system}: wanted every head's predictions on the test split, got none")
    return found, found.heads


def ending_at(network: Cascade, head: str) -> ExitPolicy:
    """The policy that lets every character leave at one head, by that head's answer alone."""
    return replace(network.policy, exits={head: ALWAYS} if head != network.heads[-1] else {}, average=False)


def on_test(row: Row, policy: ExitPolicy, parts: Costs, times: Costs) -> dict[str, float]:
    """Accuracy, exit rate and mean costs of a policy on the row's test characters.

    The row's predictions must use the temperatures of this policy. ``parts`` are multiply-adds, ``times`` nanoseconds.
    """
    heads, (found, answers) = cascade(row).heads, head_predictions(row)
    classes, exits = follow(policy, heads, answers)
    return {
        "accuracy": float(np.mean(classes == found.labels)),
        "exit_rate": float(np.mean(exits < len(heads) - 1)),
        "macs": expected_cost(exits, path_costs(policy, heads, parts)),
        "latency": expected_cost(exits, path_costs(policy, heads, times)),
    }


def macs_of_parts(row: Row) -> Costs:
    """Multiply-adds of each stage and each head for one character.

    Raises:
        ValueError: the cost of an operator is unknown.
    """

    def macs(layers: nn.Module, maps: Tensor) -> float:
        found = count(layers, maps)
        if found.incomplete:
            raise ValueError(f"{row.system}: unknown costs: {', '.join(found.incomplete)}")
        return float(found.macs)

    return multiply_adds(cascade(row), row.recogniser.channels, row.recogniser.size, macs)


def policy_detail(policy: ExitPolicy) -> dict[str, object]:
    """A policy as records state it."""
    return {"leaves_at": dict(policy.exits), "average": policy.average, "temperatures": list(policy.temperatures)}
