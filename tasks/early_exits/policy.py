"""Exit policies of cascades: where and when characters leave, at which accuracy and cost, and how one is chosen."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

from tasks.recipe import LEAST_THRESHOLD

# Candidate thresholds: nearly 0, at which every character leaves; by twentieths up to a half; then ever closer to 1,
# where most confidences lie: each step reduces the distance to 1 by a sixth. fire-hccr's own 0.98 is among them.
_LOW = (LEAST_THRESHOLD, *(round(step / 20, 2) for step in range(1, 10)))
GRID = tuple(sorted({*_LOW, *(round(1 - 0.5 ** (step / 4), 6) for step in range(4, 57)), 0.98, 1.0}))

_TEMPERATURES = (1e-6, 1e6)  # smallest, largest: weights files store six decimals, in float32


@dataclass(frozen=True)
class ExitPolicy:
    """Where and when characters leave a cascade.

    Attributes:
        exits: threshold of each early head with an exit, in the order of the heads. A character leaves at the first one
            where its top probability is at least the threshold, LEAST_THRESHOLD to 1; empty for the final head alone.
        average: whether a character that reaches the final head gets the mean of the last early head's probabilities
            and the final one's.
        temperatures: divisor of the logits of each head, in the order of the heads, 1e-6 to 1e6; empty for all 1.

    Raises: ValueError: a threshold or a temperature outside its range.
    """

    exits: Mapping[str, float] = field(default_factory=dict)
    average: bool = False
    temperatures: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        for threshold in self.exits.values():
            if not LEAST_THRESHOLD <= threshold <= 1:
                raise ValueError(f"wanted an exit threshold from {LEAST_THRESHOLD} to 1, got {threshold}")
        low, high = _TEMPERATURES
        if not all(low <= temperature <= high for temperature in self.temperatures):
            raise ValueError(f"wanted temperatures from {low} to {high:,.0f}, got {self.temperatures}")

    def asked(self, heads: Sequence[str]) -> tuple[str, ...]:
        """Names of the heads that this policy computes, among all ``heads`` of a network."""
        averaged = heads[-2:-1] if self.average else ()
        return tuple(name for name in heads if name in (*self.exits, *averaged, heads[-1]))


class BudgetError(ValueError):
    """No exit policy is within the budget."""


@dataclass(frozen=True)
class HeadAnswers:
    """Predictions of every head for n characters, wherever they leave.

    Attributes:
        top: int32 (n, heads), the most probable class.
        confidence: float32 (n, heads), its probability.
        together: int32 (n,), the most probable class by the mean of the last early head's and the final one's
            probabilities.
    """

    top: NDArray[np.int32]
    confidence: NDArray[np.float32]
    together: NDArray[np.int32]


@dataclass(frozen=True)
class Costs:
    """Costs of the parts of a cascade, in the order of the heads, in any one unit (multiply-adds, ns …).

    Attributes:
        stages: from the previous head, or the input, to this head.
        heads: the head itself.
        alone: measured cost, such as time, of a character for which this head alone is computed; empty if the costs of
            the parts add up. The cost of a path is then that of its last head, scaled by the parts of the path over
            those of the last head alone.
    """

    stages: tuple[float, ...]
    heads: tuple[float, ...]
    alone: tuple[float, ...] = ()

    @property
    def final(self) -> float:
        """Cost of the final head alone: all stages, and no early head."""
        return sum(self.stages) + self.heads[-1]


def follow(
    policy: ExitPolicy, heads: Sequence[str], answers: HeadAnswers
) -> tuple[NDArray[np.int32], NDArray[np.int8]]:
    """The predicted class of each character, int32 (n,), and the index of the head at which it leaves, int8 (n,)."""
    last = len(heads) - 1
    classes = (answers.together if policy.average else answers.top[:, last]).copy()
    left = np.full(len(classes), last, np.int8)
    for number in reversed(range(last)):
        if heads[number] in policy.exits:
            sure = answers.confidence[:, number] >= policy.exits[heads[number]]
            classes[sure], left[sure] = answers.top[sure, number], number
    return classes, left


def path_costs(policy: ExitPolicy, heads: Sequence[str], costs: Costs) -> tuple[float, ...]:
    """Cost of a character that leaves at each head: all stages up to it, and the heads computed on the way."""
    computed = policy.asked(heads)
    parts = zip(heads, costs.stages, costs.heads, strict=True)
    steps = [stage + (head if name in computed else 0) for name, stage, head in parts]
    paths = tuple(sum(steps[: number + 1]) for number in range(len(heads)))
    if not costs.alone:
        return paths
    alone = [sum(costs.stages[: number + 1]) + head for number, head in enumerate(costs.heads)]
    return tuple(cost * path / part for cost, path, part in zip(costs.alone, paths, alone, strict=True))


def expected_cost(left: NDArray[np.int8], paths: Sequence[float]) -> float:
    """Mean cost per character, for the indices of the heads at which characters left and the cost of each path."""
    return float(np.mean(np.asarray(paths, float)[left]))


def choose_policy(
    heads: Sequence[str], answers: HeadAnswers, labels: NDArray[np.int64], costs: Costs,
    temperatures: Sequence[float] = (), average: bool | None = None, budget: float | None = None,
    margin: float = 0.0, most_lost: float | None = None,
) -> ExitPolicy:  # fmt: skip
    """The cheapest policy at least as accurate as the final head alone, or the most accurate within a budget.

    All combinations of exits and GRID thresholds are evaluated independently. Requiring that no higher threshold is
    worse was tried and rejected: few characters leave at thresholds close to 1, so a handful of errors there rules out
    all lower thresholds, and the cost was 0.95 of the final head's instead of 0.57.

    Args:
        heads: of the network, the final one last.
        answers: on validation characters, calibrated by these temperatures.
        labels: of these characters, int64 (n,).
        costs: of the network's parts.
        temperatures: of the policy.
        average: of the policy; None to choose that too.
        budget: largest mean cost per character, in the unit of the costs.
        margin: without a budget, the number of standard errors by which the characters that only the policy classifies
            correctly must outnumber those that only the final head does.
        most_lost: replaces the margin: the largest share of characters that only the final head may classify correctly,
            whatever the policy gains.

    Raises:
        ValueError: no characters.
        BudgetError: no policy within the budget.
    """
    if len(labels) == 0:
        raise ValueError("wanted validation characters to choose exits by, got none")
    final = answers.top[:, -1] == labels
    found: list[tuple[float, int, ExitPolicy]] = []  # (mean cost, correct characters, policy)
    for policy in _policies(heads, average, temperatures):
        classes, left = follow(policy, heads, answers)
        correct = classes == labels
        gained, lost = int((correct & ~final).sum()), int((final & ~correct).sum())
        if most_lost is None:
            enough = gained - lost >= margin * math.sqrt(gained + lost)
        else:
            enough = lost <= most_lost * len(labels)
        if enough or budget is not None:
            found.append((expected_cost(left, path_costs(policy, heads, costs)), int(correct.sum()), policy))
    if budget is None:
        plain = ExitPolicy({}, bool(average), tuple(temperatures))  # if averaging alone is already worse
        return min(found, key=lambda one: (one[0], -one[1]), default=(0.0, 0, plain))[2]
    within = [one for one in found if one[0] <= budget]
    if not within:
        least = min(cost for cost, _, _ in found)
        raise BudgetError(f"wanted an exit policy that costs at most {budget:g}, the cheapest costs {least:g}")
    return min(within, key=lambda one: (-one[1], one[0]))[2]


def _policies(heads: Sequence[str], average: bool | None, temperatures: Sequence[float]) -> Iterator[ExitPolicy]:
    """All candidates, higher thresholds first, so that the most careful of equally good ones is chosen."""
    early = [chosen for count in range(len(heads)) for chosen in combinations(heads[:-1], count)]
    for exits, averages in product(early, (False, True) if average is None else (average,)):
        for thresholds in product(reversed(GRID), repeat=len(exits)):
            yield ExitPolicy(dict(zip(exits, thresholds, strict=True)), averages, tuple(temperatures))
