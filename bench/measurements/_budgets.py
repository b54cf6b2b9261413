"""Time budgets: the most accurate exit policy within each, chosen on validation and evaluated on test characters."""

from typing import Any

from numpy.typing import NDArray

from bench.measurements._exits import cascade, on_test, policy_detail
from bench.measurements._row import Row
from datamodules._loader import Fitted
from tasks.early_exits.policy import BudgetError, Costs, HeadAnswers, choose_policy
from tasks.early_exits.training import head_answers

BUDGETS = (0.6, 0.7, 0.8, 0.9)  # of the final head's mean time


def within_budgets(row: Row, parts: Costs, times: Costs) -> list[dict[str, Any]]:
    """The chosen policy for each of BUDGETS, and its figures on the test characters.

    ``parts`` are multiply-adds, ``times`` nanoseconds including those of each head alone.

    Returns: ``budget``, a share of the final head's time; the policy as records state it; and ``accuracy``,
        ``exit_rate``, ``macs`` and ``latency`` on the test characters, which may take slightly longer than the
        validation characters did. A budget below the time of every head is left out.
    """
    network, (answers, labels) = cascade(row), _validation_answers(row)
    found = []
    for budget in BUDGETS:
        limit = budget * times.alone[-1]
        try:
            policy = choose_policy(network.heads, answers, labels, times, network.policy.temperatures, budget=limit)
        except BudgetError:
            continue
        found.append({"budget": budget, **policy_detail(policy), **on_test(row, policy, parts, times)})
    return found


def _validation_answers(row: Row) -> tuple[HeadAnswers, NDArray[Any]]:
    network, device = row.network_on_device()
    # Not the datamodule's own loader: it may be set to the input size of another row.
    return head_answers(network, row.batches(row.datamodule.val, Fitted(row.recogniser.size), row.seed), device)
