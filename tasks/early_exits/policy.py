"""When a character leaves a cascade: the exit policy, what it answers and costs, and how it is chosen."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

from tasks.recipe import LEAST_THRESHOLD

# Thresholds that are tried: next to 0, at which everyone leaves; by twentieths up to a half; then ever closer to 1,
# where most confidences are: a step takes a sixth off the distance to it. fire-hccr's own 0.98 is among them.
_LOW = (LEAST_THRESHOLD, *(round(step / 20, 2) for step in range(1, 10)))
GRID = tuple(sorted({*_LOW, *(round(1 - 0.5 ** (step / 4), 6) for step in range(4, 57)), 0.98, 1.0}))

_TEMPERATURES = (1e-6, 1e6)  # weights' files keep six decimals of one as well, and hold it in float32


@dataclass(frozen=True)
class ExitPolicy:
    """Where and when a character leaves.

    Attributes:
        exits: early heads at which it may leave, in the order in which they are reached, each with its threshold: it
            leaves at the first whose top probability is at least that, LEAST_THRESHOLD to 1; none for the final alone.
        average: the answer of those who stay is the mean of the last early head's probabilities and the final one's.
        temperatures: by which each head's logits are divided, in the order of the heads; from a millionth to a
            million, all 1 where empty.

    Raises:
        ValueError: a threshold or a temperature outside of these.
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
            found = ", ".join(map(str, self.temperatures))
            raise ValueError(f"wanted temperatures from {low} to {high:,.0f}, got {found}")

    def asked(self, heads: Sequence[str]) -> tuple[str, ...]:
        """The heads that are computed at all, of all those of a network; the long path passes every one of them."""
        averaged = heads[-2:-1] if self.average else ()
        return tuple(name for name in heads if name in (*self.exits, *averaged, heads[-1]))


class BudgetError(ValueError):
    """No exit policy costs as little as was wanted."""


@dataclass(frozen=True)
class HeadAnswers:
    """What every head says of every character, whoever leaves where.

    Attributes:
        top: int (n, heads), the most probable class.
        confidence: float32 (n, heads), its probability.
        together: int (n,), the most probable class by the mean of the last early head and the final one.
    """

    top: NDArray[np.int32]
    confidence: NDArray[np.float32]
    together: NDArray[np.int32]


@dataclass(frozen=True)
class Costs:
    """What the parts of a cascade cost, in any one unit, in the order of the heads.

    Attributes:
        stages: from the head before, or the input, to this head.
        heads: the head itself.
        alone: what was measured, such as the time, of all who leave at a head and are asked at no other. A path then
            costs that of its end, scaled as its parts are to the stages and the head of the end; empty where the parts
            themselves are the cost.
    """

    stages: tuple[float, ...]
    heads: tuple[float, ...]
    alone: tuple[float, ...] = ()

    @property
    def final(self) -> float:
        """All stages and the final head, asked at no other."""
        return sum(self.stages) + self.heads[-1]


def follow(
    policy: ExitPolicy, heads: Sequence[str], answers: HeadAnswers
) -> tuple[NDArray[np.int32], NDArray[np.int8]]:
    """Which class each character gets, and the number of the head at which it leaves, both (n,)."""
    last = len(heads) - 1
    classes = (answers.together if policy.average else answers.top[:, last]).copy()
    left = np.full(len(classes), last, np.int8)
    for number in reversed(range(last)):
        if heads[number] in policy.exits:
            sure = answers.confidence[:, number] >= policy.exits[heads[number]]
            classes[sure], left[sure] = answers.top[sure, number], number
    return classes, left


def path_costs(policy: ExitPolicy, heads: Sequence[str], costs: Costs) -> tuple[float, ...]:
    """What a character costs that leaves at each head: all stages up to it, and the heads asked on the way."""
    asked = policy.asked(heads)
    parts = zip(heads, costs.stages, costs.heads, strict=True)
    paid = [stage + (head if name in asked else 0) for name, stage, head in parts]
    paths = [sum(paid[: number + 1]) for number in range(len(heads))]
    if not costs.alone:
        return tuple(paths)
    own = [sum(costs.stages[: number + 1]) + head for number, head in enumerate(costs.heads)]
    return tuple(one * path / part for one, path, part in zip(costs.alone, paths, own, strict=True))


def expected_cost(left: NDArray[np.int8], paths: Sequence[float]) -> float:
    """Mean cost of characters that left at these heads."""
    return float(np.mean(np.asarray(paths, float)[left]))


def choose_policy(
    heads: Sequence[str],
    answers: HeadAnswers,
    labels: NDArray[np.int64],
    costs: Costs,
    temperatures: Sequence[float] = (),
    average: bool | None = None,
    budget: float | None = None,
    margin: float = 0.0,
    most_lost: float | None = None,
) -> ExitPolicy:
    """The cheapest policy that is more accurate than the final head alone or alike, or the most accurate in a budget.

    Each policy is judged by itself. To let a threshold count only where no higher one is worse was tried: next to 1
    few characters leave, a handful of them misread rules out all below, and 0.95 of the cost was taken for 0.57.

    Args:
        heads: of the network, the final one last.
        answers: on validation characters, by these temperatures.
        labels: of these characters.
        costs: multiply-adds, nanoseconds or another unit.
        temperatures: of the policy.
        average: whether it averages; None where that is to be chosen too.
        budget: most that a character may cost on average, in the unit of the costs.
        margin: standard errors by which, without a budget, the characters that only the policy reads rightly must
            outnumber those that only the final head does.
        most_lost: instead, at most this share of the characters may be read rightly by the final head alone, whatever
            the policy gains; None where the margin says enough.

    Raises:
        ValueError: no characters to choose by.
        BudgetError: no policy within the budget.
    """
    if len(labels) == 0:
        raise ValueError("wanted validation characters to choose exits by, got none")
    alone = answers.top[:, -1] == labels
    found: list[tuple[float, int, ExitPolicy]] = []  # (mean cost, characters read rightly, policy)
    for policy in _policies(heads, average, temperatures):
        classes, left = follow(policy, heads, answers)
        right = classes == labels
        gained, lost = int((right & ~alone).sum()), int((alone & ~right).sum())
        if most_lost is None:
            enough = gained - lost >= margin * math.sqrt(gained + lost)
        else:
            enough = lost <= most_lost * len(labels)
        if enough or budget is not None:
            found.append((expected_cost(left, path_costs(policy, heads, costs)), int(right.sum()), policy))
    if budget is None:
        plain = ExitPolicy({}, bool(average), tuple(temperatures))  # what is left where averaging alone costs some
        return min(found, key=lambda one: (one[0], -one[1]), default=(0.0, 0, plain))[2]
    within = [one for one in found if one[0] <= budget]
    if not within:
        least = min(cost for cost, _, _ in found)
        raise BudgetError(f"wanted an exit policy that costs at most {budget:g}, the cheapest costs {least:g}")
    return min(within, key=lambda one: (-one[1], one[0]))[2]


def _policies(heads: Sequence[str], average: bool | None, temperatures: Sequence[float]) -> Iterator[ExitPolicy]:
    """All that are tried, higher thresholds first: of those that answer alike, the most careful is then taken."""
    early = [chosen for count in range(len(heads)) for chosen in combinations(heads[:-1], count)]
    for exits, averages in product(early, (False, True) if average is None else (average,)):
        for thresholds in product(reversed(GRID), repeat=len(exits)):
            yield ExitPolicy(dict(zip(exits, thresholds, strict=True)), averages, tuple(temperatures))
