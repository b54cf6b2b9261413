"""The most accurate exit policies within budgets of time, chosen on validation characters, read on test characters."""

import copy
from typing import Any

import torch
from numpy.typing import NDArray

from bench.measurements._exits import cascade, on_test, policy_detail
from bench.measurements._row import Row
from datamodules._loader import BatchDataset, Fitted, make_loader
from tasks.early_exits.policy import BudgetError, Costs, HeadAnswers, choose_policy
from tasks.early_exits.training import head_answers

BUDGETS = (0.6, 0.7, 0.8, 0.9)  # of the final head's mean time
_BATCH = 64  # no answer depends on it: networks are in eval mode


def within_budgets(row: Row, parts: Costs, times: Costs) -> list[dict[str, Any]]:
    """For each of BUDGETS the policy, and what it gives on the test characters.

    Args:
        row: its answers on the test part, and its validation part, which is read once.
        parts: multiply-adds.
        times: nanoseconds, those of each head alone among them.

    Returns: ``budget``, a share of the final head's time, the policy as records state it, and ``accuracy``,
        ``exit_rate``, ``macs`` and ``latency`` on the test characters, which may take a little longer than the
        validation characters did. A budget that is below every head's time is left out.
    """
    network, (answers, labels) = cascade(row), _validated(row)
    found = []
    for budget in BUDGETS:
        most = budget * times.alone[-1]
        try:
            policy = choose_policy(network.heads, answers, labels, times, network.policy.temperatures, budget=most)
        except BudgetError:
            continue
        found.append({"budget": budget, **policy_detail(policy), **on_test(row, policy, parts, times)})
    return found


def _validated(row: Row) -> tuple[HeadAnswers, NDArray[Any]]:
    """What each head says of the validation characters, where the row was trained, and their labels."""
    recogniser, network = row.recogniser, row.recogniser.network
    device = "cuda" if row.accelerator != "cpu" and torch.cuda.is_available() else "cpu"
    if device != "cpu":
        network = copy.deepcopy(network).to(device)  # other measurements use the one on the CPU
    # Not the datamodule's own loader: its input may be another row's.
    dataset = BatchDataset(row.datamodule.val, Fitted(recogniser.size), recogniser.size, recogniser.channels, row.seed)
    return head_answers(network, make_loader(dataset, _BATCH, shuffle=False, workers=0), device)
