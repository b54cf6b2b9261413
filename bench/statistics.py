"""Intervals and tests of the figures that records and comparisons print."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_Z = 1.959963984540054  # 97.5 % quantile of the standard normal: two-sided 95 %
_RESAMPLES = 2000  # the percentiles of 60 log ratios then repeat to about a tenth of the interval's width


def wilson(successes: int, n: int) -> tuple[float, float]:
    """The 95 % score interval of a proportion, which stays inside 0 to 1.

    Args:
        successes: 0 to ``n``.
        n: trials, at least one.

    Raises:
        ValueError: no trials, or more successes than trials.

    Source: Wilson, JASA 22 (1927), 209-212.
    """
    if not 0 <= successes <= n or n < 1:
        raise ValueError(f"wanted 0 to n successes of n >= 1 trials, got {successes} of {n}")
    share = successes / n
    scale = 1 + _Z**2 / n
    centre = (share + _Z**2 / (2 * n)) / scale
    half = _Z / scale * math.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    # At the ends the bound is exact, the arithmetic only nearly so.
    low = 0.0 if successes == 0 else centre - half
    high = 1.0 if successes == n else centre + half
    return low, high


def paired_difference(only_a: int, only_b: int, n: int) -> tuple[float, float]:
    """95 % interval of B - A for matched pairs: Wald's, half an image added to each of the four counts.

    Args:
        only_a: images that only the first one answers rightly.
        only_b: images that only the second one answers rightly.
        n: images.

    Source: Agresti and Min, Statistics in Medicine 24 (2005), 729-740.
    """
    a, b, total = only_a + 0.5, only_b + 0.5, n + 2
    centre = (b - a) / total
    half = _Z * math.sqrt(a + b - (b - a) ** 2 / total) / total
    return max(centre - half, -1.0), min(centre + half, 1.0)


def bootstrap_ratio(log_ratios: NDArray[np.float64], seed: int) -> tuple[float, float, float]:
    """The median of paired ratios and its 95 % percentile bootstrap interval.

    Args:
        log_ratios: (rounds,), natural logarithm of each round's ratio; rounds are what is resampled.
        seed: of the resampling.

    Returns: median ratio, low, high; no logarithms.

    Raises:
        ValueError: no rounds.
    """
    if len(log_ratios) == 0:
        raise ValueError("wanted at least one round's log ratio, got none")
    rng = np.random.default_rng(seed)
    picks = rng.integers(0, len(log_ratios), (_RESAMPLES, len(log_ratios)))
    low, high = np.percentile(np.median(log_ratios[picks], axis=1), [2.5, 97.5])
    return math.exp(float(np.median(log_ratios))), math.exp(low), math.exp(high)


def nested_bootstrap_ratio(groups: Sequence[Sequence[float]], seed: int) -> tuple[float, float, float]:
    """The mean over groups of their median ratios, and its 95 % percentile bootstrap interval.

    Args:
        groups: natural logarithms of ratios; what is alike within a group, such as a process or a memory layout,
            makes its members depend on each other. Groups are resampled first, then members within each.
        seed: of the resampling.

    Returns: mean ratio, low, high; no logarithms.

    Raises:
        ValueError: no groups, or an empty one.
    """
    centre, low, high = _nested_bootstrap(groups, seed, np.median)
    return math.exp(centre), math.exp(low), math.exp(high)


def nested_bootstrap_mean(groups: Sequence[Sequence[float]], seed: int) -> tuple[float, float, float]:
    """As ``nested_bootstrap_ratio``, but the mean of ratios that differ for good reason and not by disturbance.

    Args:
        groups: natural logarithms of ratios.
        seed: of the resampling.

    Returns: mean ratio, low, high; no logarithms.

    Raises:
        ValueError: no groups, or an empty one.
    """
    return _nested_bootstrap([np.exp(group).tolist() for group in groups], seed, np.mean)


def _nested_bootstrap(
    groups: Sequence[Sequence[float]], seed: int, middle: Callable[..., Any]
) -> tuple[float, float, float]:
    """The mean over groups of the ``middle`` of their members, with its percentile interval."""
    if not groups or not all(len(group) for group in groups):
        raise ValueError(f"wanted groups of at least one log ratio each, got sizes {[len(g) for g in groups]}")
    rng = np.random.default_rng(seed)
    chosen = rng.integers(0, len(groups), (_RESAMPLES, len(groups)))
    middles = np.empty(chosen.shape)
    for number, group in enumerate(groups):
        places = chosen == number
        members = np.asarray(group, np.float64)
        picks = rng.integers(0, len(members), (int(places.sum()), len(members)))
        middles[places] = middle(members[picks], axis=1)
    low, high = np.percentile(middles.mean(1), [2.5, 97.5])
    return float(np.mean([middle(group) for group in groups])), float(low), float(high)


def mcnemar(only_a: int, only_b: int) -> float:
    """Exact two-sided p value that two systems err equally often on the same images.

    Args:
        only_a: images that only the first system answers rightly.
        only_b: images that only the second one answers rightly.

    Raises:
        ValueError: a negative count.

    Source: McNemar, Psychometrika 12 (1947); the exact form is a binomial test with probability 1/2.
    """
    if min(only_a, only_b) < 0:
        raise ValueError(f"wanted counts, got {only_a} and {only_b}")
    n = only_a + only_b
    ways, tail = 1, 0  # ways = n choose i, in integers: floats underflow from about 1,000 images
    for i in range(min(only_a, only_b) + 1):
        tail += ways
        ways = ways * (n - i) // (i + 1)
    return min(1.0, float(2 * tail / (1 << n)))
