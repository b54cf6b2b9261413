"""Statistics of records and comparisons: confidence intervals, paired tests, resampling and percentile bounds.

SciPy is imported inside functions: it takes a second, and measuring processes, which load this module, do not need it.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Groups = Sequence[Sequence[float]]
_CONFIDENCE = 0.95
_UPPER = 0.975  # quantile at the upper end of a two-sided 95 % interval
_NORMAL = 1.959964  # the same quantile of the normal distribution
# Share of the groups of a measuring process that is trimmed at each end. Over 42 runs of the reference network against
# itself, on two cores with nine competing processes, the standard deviation was 1.62 % untrimmed and 1.41 % trimmed.
#
# Student's interval replaces a percentile bootstrap over groups and then members, which counts noise of single members
# twice: in 1,000 such runs, resampled from the copies of eleven, its 95 % intervals covered the true ratio in 99.7 %,
# Student's in 93.9 %; their median half widths in the runs themselves were 4.2 % and 2.5 %.
TRIMMED = 0.2
# MLPerf's early stopping: the smallest number of queries that bounds a 90th percentile with 99 % confidence, if one of
# them lies above it.
LEAST_FOR_BOUND = 64
_RESAMPLES = 2000  # percentiles of 60 log ratios then repeat to about a tenth of the interval's width


def wilson(successes: int, n: int) -> tuple[float, float]:
    """Wilson's 95 % score interval of the proportion ``successes / n``, always within 0 to 1.

    Raises: ValueError: no trials, or successes outside 0 to ``n``.

    Source: Wilson, JASA 22 (1927), 209-212.
    """
    if not 0 <= successes <= n or n < 1:
        raise ValueError(f"wanted 0 to n successes of n >= 1 trials, got {successes} of {n}")
    from scipy.stats import binomtest

    interval = binomtest(successes, n).proportion_ci(_CONFIDENCE, method="wilson")
    return float(interval.low), float(interval.high)


def paired_difference(only_a: int, only_b: int, n: int) -> tuple[float, float]:
    """95 % interval of accuracy B - A on the same n images: Wald's, with half an image added to each of four counts.

    ``only_a`` and ``only_b`` are the numbers of images that only system A, or only B, classifies correctly.

    Source: Agresti and Min, Statistics in Medicine 24 (2005), 729-740.
    """
    from scipy.stats import norm  # SciPy has no interval of matched pairs

    a, b, total = only_a + 0.5, only_b + 0.5, n + 2
    centre = (b - a) / total
    half = float(norm.ppf(_UPPER)) * math.sqrt(a + b - (b - a) ** 2 / total) / total
    return max(centre - half, -1.0), min(centre + half, 1.0)


def share_recovered(
    before: NDArray[np.bool_], after: NDArray[np.bool_], whole: NDArray[np.bool_], seed: int
) -> dict[str, Any]:
    """The recovered share of an accuracy loss, (after - before) / (whole - before), on the same images.

    ``before``, ``after`` and ``whole``, bool (n,), say which images the degraded network, the retrained one and the
    original one, the parent, classify correctly.

    Returns: the accuracies ``before``, ``after`` and ``parent``, and the share ``came_back`` with its 95 % percentile
        bootstrap interval over images, ``ci_low`` and ``ci_high``; None if nothing was lost, interval None if some
        resample loses nothing.
    """
    accuracies = [float(correct.mean()) for correct in (before, after, whole)]
    result = dict(zip(("before", "after", "parent"), accuracies, strict=True))
    if accuracies[0] >= accuracies[2]:
        return {**result, "came_back": None, "ci_low": None, "ci_high": None}
    # Images are of eight kinds, by which networks are correct. Drawing counts of kinds is equivalent to drawing images,
    # as SciPy's bootstrap does, but faster.
    kinds = np.bincount(4 * before + 2 * after + whole, minlength=8)
    drawn = np.random.default_rng(seed).multinomial(len(before), kinds / len(before), _RESAMPLES)
    bits = np.arange(8)[:, None] >> np.array([2, 1, 0]) & 1
    low_counts, recovered, full = (drawn @ bits).T
    low = high = None
    if (full > low_counts).all():
        shares = (recovered - low_counts) / (full - low_counts)
        low, high = (float(limit) for limit in np.percentile(shares, [2.5, 97.5]))
    share = (accuracies[1] - accuracies[0]) / (accuracies[2] - accuracies[0])
    return {**result, "came_back": share, "ci_low": low, "ci_high": high}


def bootstrap_ratio(log_ratios: NDArray[np.float64], seed: int) -> tuple[float, float, float]:
    """The median of paired ratios and its 95 % percentile bootstrap interval over rounds.

    ``log_ratios`` (rounds,) holds the natural logarithm of each round's ratio. Returns ratio, low, high, no logarithms.

    Raises: ValueError: no rounds.
    """
    if len(log_ratios) == 0:
        raise ValueError("wanted at least one round's log ratio, got none")
    from scipy.stats import bootstrap

    ratio = math.exp(float(np.median(log_ratios)))
    if len(log_ratios) == 1:  # SciPy refuses a single value
        return ratio, ratio, ratio
    interval = bootstrap(
        (log_ratios,), np.median, n_resamples=_RESAMPLES, confidence_level=_CONFIDENCE, method="percentile", rng=seed
    ).confidence_interval
    return ratio, math.exp(interval.low), math.exp(interval.high)


def ratio_of_ratios(above: tuple[float, float, float], below: tuple[float, float, float]) -> tuple[float, float, float]:
    """The quotient of two independently measured ratios and its 95 % interval; each is (value, low, high), above zero.

    Source: Donner and Zou, Statistical Methods in Medical Research 21 (2012), 347-359 (MOVER).
    """
    down, up = (math.log(limit / above[0]) for limit in above[1:])
    down_below, up_below = (math.log(limit / below[0]) for limit in below[1:])
    ratio = above[0] / below[0]
    return ratio, ratio * math.exp(-math.hypot(down, up_below)), ratio * math.exp(math.hypot(up, down_below))


def ratio_over_processes(processes: Sequence[Groups], seed: int) -> tuple[float, float, float]:
    """The ratio over all measuring processes, and its 95 % interval.

    The ratio of a group is the mean of its members; that of a process is the mean of its groups without the highest and
    the lowest fifth, which noise affects most; the result is the mean over processes.

    Args:
        processes: for each process its groups of natural logarithms of ratios. Members of a group depend on each other,
            because they share conditions such as where weights lie in memory.
        seed: of the resampling.

    Returns: ratio, low, high; not logarithms. For one process the interval is Student's over its groups; for several a
        percentile bootstrap over processes, groups within each, and members within each group.

    Raises: ValueError: no processes, fewer than two groups in one, or an empty group.

    Source: Tukey and McLaughlin, Sankhya A 25 (1963), 331-352, for the interval of a trimmed mean.
    """
    centre, low, high = _nested_mean(processes, seed, TRIMMED)
    return math.exp(centre), math.exp(low), math.exp(high)


def mean_over_processes(processes: Sequence[Groups], seed: int) -> tuple[float, float, float]:
    """Like ``ratio_over_processes``, but the untrimmed mean, for ratios that truly differ between characters."""
    return _nested_mean([[np.exp(group).tolist() for group in groups] for groups in processes], seed, 0.0)


def _nested_mean(processes: Sequence[Groups], seed: int, trimmed: float) -> tuple[float, float, float]:
    if not processes or not all(len(groups) > 1 and all(map(len, groups)) for groups in processes):
        sizes = [[len(group) for group in groups] for groups in processes]
        raise ValueError(f"wanted two groups or more of at least one log ratio each, got sizes {sizes}")
    from scipy.stats import trim_mean

    means = [np.array([np.mean(group) for group in groups]) for groups in processes]
    centre = float(np.mean([trim_mean(of_process, trimmed) for of_process in means]))
    if len(processes) == 1:
        half = _trimmed_half_width(means[0], trimmed)
        if trimmed == 0.0:  # ratios, whose interval must stay above 0: that of the logarithm of their mean
            return centre, centre * math.exp(-half / centre), centre * math.exp(half / centre)
        return centre, centre - half, centre + half
    rng = np.random.default_rng(seed)  # SciPy's bootstrap has no nested resampling
    chosen = rng.integers(0, len(processes), (len(processes), _RESAMPLES))
    drawn = np.empty(chosen.shape)
    for number, groups in enumerate(processes):
        places = chosen == number
        drawn[places] = trim_mean(_resampled(groups, int(places.sum()), rng), trimmed, axis=-1)
    low, high = np.percentile(drawn.mean(0), [2.5, 97.5])
    return centre, float(low), float(high)


def _resampled(groups: Groups, count: int, rng: np.random.Generator) -> Any:
    """``count`` resamples of the groups' means: groups, then members within each, (count, groups)."""
    chosen = rng.integers(0, len(groups), (count, len(groups)))
    means = np.empty(chosen.shape)
    for number, group in enumerate(groups):
        places = chosen == number
        members = np.asarray(group, np.float64)
        means[places] = members[rng.integers(0, len(members), (int(places.sum()), len(members)))].mean(1)
    return means


def _trimmed_half_width(values: NDArray[np.float64], trimmed: float) -> float:
    """Half width of the 95 % interval of the trimmed mean, from the winsorised variance.

    SciPy's ``mstats.trimmed_mean_ci`` divides the squares by the number of all values less one, not of the kept ones,
    which makes its interval narrower: by 4 % for ten values.
    """
    cut = int(trimmed * len(values))
    kept = np.sort(values)[cut : len(values) - cut]
    winsorised = np.clip(values, kept[0], kept[-1])
    squares = float(np.square(winsorised - winsorised.mean()).sum())
    return student(len(kept) - 1) * math.sqrt(squares / (len(kept) * (len(kept) - 1)))


def student(freedom: int) -> float:
    """97.5 % quantile of Student's t with ``freedom`` degrees of freedom: the factor of a two-sided 95 % interval."""
    from scipy.stats import t

    return float(t.ppf(_UPPER, freedom))


def percentile_bound(values: Sequence[float], share: float) -> float | None:
    """Upper 95 % confidence bound of a percentile, without assumptions about the distribution.

    The k-th smallest of n values is at least the percentile with the probability that at most k - 1 of the values lie
    below it, which is binomial. Dependent values, such as those of neighbouring calls, carry less information than as
    many independent ones.

    Args:
        values: in any order.
        share: 0.9 for the 90th percentile.

    Returns: the smallest of the values that is such a bound; None for fewer than LEAST_FOR_BOUND.

    Source: MLPerf Inference rules, early stopping; David and Nagaraja: Order Statistics, section 7.1.
    """
    if len(values) < LEAST_FOR_BOUND:
        return None
    from scipy.stats import quantile_test

    return float(quantile_test(values, p=share, alternative="less").confidence_interval(_CONFIDENCE).high)


def spearman(a: Sequence[float], b: Sequence[float]) -> tuple[float, float, float]:
    """Spearman's rank correlation of two sequences of at least four values, with its 95 % interval.

    The interval is Fisher's, with Bonett and Wright's variance. A perfect order, whose interval would have no width,
    gets that of the next lower value that the correlation can take.

    Raises: ValueError: fewer than four values, or all of one sequence equal.

    Source: Bonett, Wright, Psychometrika 65 (2000), 23-28.
    """
    n = len(a)
    if n < 4 or len(set(a)) == 1 or len(set(b)) == 1:
        raise ValueError(f"wanted at least four values that differ in each sequence, got {n}")
    from scipy.stats import spearmanr

    value = float(spearmanr(a, b).statistic)
    next_lower = 1 - 12 / (n**3 - n)
    used = math.copysign(min(abs(value), next_lower), value)
    half = _NORMAL * math.sqrt((1 + used**2 / 2) / (n - 3))
    low, high = math.tanh(math.atanh(used) - half), math.tanh(math.atanh(used) + half)
    return value, min(low, value), max(high, value)


def mcnemar(only_a: int, only_b: int) -> float:
    """McNemar's exact two-sided p value for equal error rates of two systems on the same images.

    Counts are as for ``paired_difference``.

    Raises: ValueError: a negative count.

    Source: McNemar, Psychometrika 12 (1947); the exact form is a binomial test with probability 1/2.
    """
    if min(only_a, only_b) < 0:
        raise ValueError(f"wanted counts, got {only_a} and {only_b}")
    from scipy.special import bdtr  # binomtest agrees, but returns 0 below about 1e-280

    return min(1.0, 2 * float(bdtr(min(only_a, only_b), only_a + only_b, 0.5)))
