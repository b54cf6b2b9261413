"""Intervals and tests of the figures that records and comparisons print.

SciPy is imported where it is used: it takes a second, and measuring processes, which load this module, do without.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Groups = Sequence[Sequence[float]]
_CONFIDENCE = 0.95
_UPPER = 0.975  # the quantile that ends a two-sided interval of that confidence
# Of the groups of a measuring process, at each end. Of 42 runs of the reference against itself on two cores that nine
# others wanted too, the standard deviation was 1.62 % without trimming and 1.41 % with it.
#
# A percentile bootstrap over groups and then members, which was here before, counts what disturbs single members twice:
# of such runs, drawn anew from the copies of eleven, its 95 % intervals held the truth in 99.7 % of 1,000 and Student's
# in 93.9 %; their median half widths in the runs themselves were 4.2 % and 2.5 %.
TRIMMED = 0.2
# Of MLPerf's early stopping: the fewest queries that say anything of a 90th percentile with 99 % confidence, one of
# them above it.
LEAST_FOR_BOUND = 64
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
    from scipy.stats import binomtest

    found = binomtest(successes, n).proportion_ci(_CONFIDENCE, method="wilson")
    return float(found.low), float(found.high)


def paired_difference(only_a: int, only_b: int, n: int) -> tuple[float, float]:
    """95 % interval of B - A for matched pairs: Wald's, half an image added to each of the four counts.

    Args:
        only_a: images that only the first one answers rightly.
        only_b: images that only the second one answers rightly.
        n: images.

    Source: Agresti and Min, Statistics in Medicine 24 (2005), 729-740.
    """
    from scipy.stats import norm  # it has quantiles, but no interval of matched pairs

    a, b, total = only_a + 0.5, only_b + 0.5, n + 2
    centre = (b - a) / total
    half = float(norm.ppf(_UPPER)) * math.sqrt(a + b - (b - a) ** 2 / total) / total
    return max(centre - half, -1.0), min(centre + half, 1.0)


def share_recovered(
    before: NDArray[np.bool_], after: NDArray[np.bool_], whole: NDArray[np.bool_], seed: int
) -> dict[str, Any]:
    """How much of a loss of accuracy came back, (after - before) / (whole - before), on the same images.

    Args:
        before: which images are answered rightly by what has lost, bool (n,).
        after: by what has learnt again.
        whole: by what nothing was taken from.
        seed: of the resampling.

    Returns: the three accuracies and ``came_back`` with its 95 % percentile bootstrap interval over images, ``ci_low``
        and ``ci_high``; None where nothing was lost, or where resampled images lose nothing.
    """
    values = [float(right.mean()) for right in (before, after, whole)]
    found = dict(zip(("before", "after", "parent"), values, strict=True))
    if values[0] >= values[2]:
        return {**found, "came_back": None, "ci_low": None, "ci_high": None}
    # Images are of eight kinds, by who reads them: so many of each are drawn. SciPy's bootstrap would draw each image.
    kinds = np.bincount(4 * before + 2 * after + whole, minlength=8)
    drawn = np.random.default_rng(seed).multinomial(len(before), kinds / len(before), _RESAMPLES)
    bits = np.arange(8)[:, None] >> np.array([2, 1, 0]) & 1
    lost, won, full = (drawn @ bits).T
    low = high = None
    if (full > lost).all():
        low, high = (float(limit) for limit in np.percentile((won - lost) / (full - lost), [2.5, 97.5]))
    share = (values[1] - values[0]) / (values[2] - values[0])
    return {**found, "came_back": share, "ci_low": low, "ci_high": high}


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
    from scipy.stats import bootstrap

    ratio = math.exp(float(np.median(log_ratios)))
    if len(log_ratios) == 1:  # SciPy refuses it
        return ratio, ratio, ratio
    found = bootstrap(
        (log_ratios,), np.median, n_resamples=_RESAMPLES, confidence_level=_CONFIDENCE, method="percentile", rng=seed
    ).confidence_interval
    return ratio, math.exp(found.low), math.exp(found.high)


def ratio_of_ratios(above: tuple[float, float, float], below: tuple[float, float, float]) -> tuple[float, float, float]:
    """The quotient of two ratios that were measured apart, and its 95 % interval.

    Distances to the limits, in logarithms, add up as squares.

    Args:
        above: ratio, low, high; all above zero.
        below: of what it is divided by.

    Returns: quotient, low, high.

    Source: Donner and Zou, Statistical Methods in Medical Research 21 (2012), 347-359 (MOVER).
    """
    down, up = (math.log(limit / above[0]) for limit in above[1:])
    down_below, up_below = (math.log(limit / below[0]) for limit in below[1:])
    ratio = above[0] / below[0]
    return ratio, ratio * math.exp(-math.hypot(down, up_below)), ratio * math.exp(math.hypot(up, down_below))


def joined_ratio(launches: Sequence[Groups], seed: int) -> tuple[float, float, float]:
    """The ratio that measuring processes found, and its 95 % interval.

    A group's ratio is the mean of its members; a process's the mean of its groups', without the highest and the lowest
    fifth of them, which are the disturbed ones; of several processes it is their mean.

    Args:
        launches: for each process its groups, natural logarithms of ratios; what is alike within a group, such as
            where weights lie in memory, makes its members depend on each other.
        seed: of the resampling.

    Returns: ratio, low, high; no logarithms. Of one process the interval is Student's over its groups; of several a
        percentile bootstrap over processes, then groups within each, then members within each of these.

    Raises:
        ValueError: no processes, fewer than two groups in one, or an empty group.

    Source: Tukey and McLaughlin, Sankhya A 25 (1963), 331-352, for the interval of a trimmed mean.
    """
    centre, low, high = _launches(launches, seed, TRIMMED)
    return math.exp(centre), math.exp(low), math.exp(high)


def launches_mean(launches: Sequence[Groups], seed: int) -> tuple[float, float, float]:
    """As ``joined_ratio``, but the mean of all ratios, which differ for good reason and not by disturbance.

    Raises:
        ValueError: as there.
    """
    return _launches([[np.exp(group).tolist() for group in groups] for groups in launches], seed, 0.0)


def _launches(launches: Sequence[Groups], seed: int, trimmed: float) -> tuple[float, float, float]:
    if not launches or not all(len(groups) > 1 and all(map(len, groups)) for groups in launches):
        sizes = [[len(group) for group in groups] for groups in launches]
        raise ValueError(f"wanted two groups or more of at least one log ratio each, got sizes {sizes}")
    from scipy.stats import trim_mean

    means = [np.array([np.mean(group) for group in groups]) for groups in launches]
    centre = float(np.mean([trim_mean(found, trimmed) for found in means]))
    if len(launches) == 1:
        half = _trimmed_half_width(means[0], trimmed)
        return centre, centre - half, centre + half
    rng = np.random.default_rng(seed)  # SciPy's bootstrap knows no groups within groups
    chosen = rng.integers(0, len(launches), (len(launches), _RESAMPLES))
    drawn = np.empty(chosen.shape)
    for number, groups in enumerate(launches):
        places = chosen == number
        drawn[places] = trim_mean(_resampled(groups, int(places.sum()), rng), trimmed, axis=-1)
    low, high = np.percentile(drawn.mean(0), [2.5, 97.5])
    return centre, float(low), float(high)


def _resampled(groups: Groups, count: int, rng: np.random.Generator) -> Any:
    """So many times: the means of resampled members of resampled groups, (count, groups)."""
    chosen = rng.integers(0, len(groups), (count, len(groups)))
    means = np.empty(chosen.shape)
    for number, group in enumerate(groups):
        places = chosen == number
        members = np.asarray(group, np.float64)
        means[places] = members[rng.integers(0, len(members), (int(places.sum()), len(members)))].mean(1)
    return means


def _trimmed_half_width(values: NDArray[np.float64], trimmed: float) -> float:
    """Of the 95 % interval of the trimmed mean; the values that are cut count as the nearest ones that are not.

    SciPy's ``mstats.trimmed_mean_ci`` divides the squares by one less than all values, not than those that are kept,
    which makes it narrower: by 4 % for ten values.
    """
    cut = int(trimmed * len(values))
    kept = np.sort(values)[cut : len(values) - cut]
    squares = float(np.square(np.clip(values, kept[0], kept[-1]) - np.clip(values, kept[0], kept[-1]).mean()).sum())
    return student(len(kept) - 1) * math.sqrt(squares / (len(kept) * (len(kept) - 1)))


def student(freedom: int) -> float:
    """97.5 % quantile of Student's t, which ends a two-sided 95 % interval."""
    from scipy.stats import t

    return float(t.ppf(_UPPER, freedom))


def percentile_bound(values: Sequence[float], share: float) -> float | None:
    """Upper 95 % confidence bound of a percentile: one of the values themselves, whatever their distribution.

    The k-th smallest of n values is no less than the percentile with the probability that at most k - 1 of n values
    lie below it, which is binomial. Values that depend on each other, as those of neighbouring calls may, know less
    than as many independent ones.

    Args:
        values: in any order.
        share: 0.9 for the 90th percentile.

    Returns: the smallest such value; None for fewer than LEAST_FOR_BOUND.

    Source: MLPerf Inference rules, early stopping; David and Nagaraja: Order Statistics, section 7.1.
    """
    if len(values) < LEAST_FOR_BOUND:
        return None
    from scipy.stats import quantile_test

    return float(quantile_test(values, p=share, alternative="less").confidence_interval(_CONFIDENCE).high)


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
    from scipy.special import bdtr  # SciPy's binomtest gives the same, but 0 for what is less than about 1e-280

    return min(1.0, 2 * float(bdtr(min(only_a, only_b), only_a + only_b, 0.5)))
