import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.records.statistics import (
    bootstrap_ratio,
    mcnemar,
    mean_over_processes,
    paired_difference,
    percentile_bound,
    ratio_of_ratios,
    ratio_over_processes,
    share_recovered,
    student,
    wilson,
)


def test_wilson_by_hand() -> None:
    # Newcombe, Statistics in Medicine 17 (1998), Table I: 81 of 263 and 15 of 148.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)


def test_wilson_at_the_ends() -> None:
    low, high = wilson(0, 20)
    assert low == 0
    assert high == pytest.approx(0.1611, abs=5e-5)  # Newcombe, Table I: 0 of 20
    assert wilson(20, 20) == pytest.approx((1 - high, 1))


@given(st.integers(1, 10_000), st.data())
def test_wilson_holds_the_share(n: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(0, n))
    low, high = wilson(successes, n)
    assert 0 <= low <= successes / n <= high <= 1
    assert low < high


@pytest.mark.parametrize(("successes", "n"), [(0, 0), (-1, 5), (6, 5)])
def test_wilson_refuses(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match="wanted 0 to n successes"):
        wilson(successes, n)


def test_bootstrap_of_equal_rounds_has_no_width() -> None:
    assert bootstrap_ratio(np.full(30, math.log(1.2)), 0) == pytest.approx((1.2, 1.2, 1.2))


def test_bootstrap_covers_the_true_ratio_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(3)
    intervals = [bootstrap_ratio(rng.normal(math.log(2), 0.1, 60), seed) for seed in range(200)]
    covered = sum(low <= 2 <= high for _, low, high in intervals)
    assert 0.90 <= covered / 200 <= 0.99
    assert all(low <= ratio <= high for ratio, low, high in intervals)


def test_bootstrap_ignores_a_few_disturbed_rounds() -> None:
    rounds = np.full(60, math.log(1.5)) + np.random.default_rng(0).normal(0, 0.01, 60)
    rounds[:6] += 2.0
    ratio, low, high = bootstrap_ratio(rounds, 0)
    assert ratio == pytest.approx(1.5, rel=0.01)
    assert high - low < 0.03


def test_bootstrap_repeats_with_its_seed() -> None:
    rounds = np.random.default_rng(0).normal(0, 1, 20)
    assert bootstrap_ratio(rounds, 5) == bootstrap_ratio(rounds, 5)
    assert bootstrap_ratio(rounds, 5) != bootstrap_ratio(rounds, 6)


def test_the_bootstrap_of_one_round_is_that_round() -> None:
    assert bootstrap_ratio(np.array([math.log(1.5)]), 0) == pytest.approx((1.5, 1.5, 1.5))


def test_the_bootstrap_is_of_medians_of_drawn_rounds() -> None:
    rounds = np.random.default_rng(0).normal(0, 1, 21)
    picks = np.random.default_rng(5).integers(0, 21, (2000, 21))
    limits = np.exp(np.percentile(np.median(rounds[picks], axis=1), [2.5, 97.5]))
    assert bootstrap_ratio(rounds, 5) == pytest.approx((math.exp(np.median(rounds)), *limits), rel=1e-9)


def test_bootstrap_refuses_no_rounds() -> None:
    with pytest.raises(ValueError, match="at least one round"):
        bootstrap_ratio(np.array([]), 0)


def test_the_difference_of_pairs_by_hand() -> None:
    # Agresti and Min: (8.5 - 2.5) / 102 -+ 1.96 sqrt(11 - 36 / 102) / 102.
    half = 1.959964 * math.sqrt(11 - 36 / 102) / 102
    assert paired_difference(2, 8, 100) == pytest.approx((6 / 102 - half, 6 / 102 + half), abs=1e-6)
    low, high = paired_difference(8, 2, 100)
    assert (-high, -low) == paired_difference(2, 8, 100)
    assert paired_difference(0, 1, 1)[1] == 1.0


def test_mcnemar_by_hand() -> None:
    # 2 · (C(8,0) + C(8,1)) / 2^8
    assert mcnemar(7, 1) == pytest.approx(18 / 256)
    assert mcnemar(0, 6) == pytest.approx(2 / 64)


def test_mcnemar_without_difference_is_one() -> None:
    assert mcnemar(0, 0) == mcnemar(5, 5) == 1.0


def test_mcnemar_of_many_images() -> None:
    # Normal approximation with continuity correction: z = (|a - b| - 1) / sqrt(a + b) = 3.13.
    z = (200 - 1) / math.sqrt(4000 + 40)
    assert mcnemar(2120, 1920) == pytest.approx(math.erfc(z / math.sqrt(2)), rel=0.02)


@given(st.integers(0, 300), st.integers(0, 300))
def test_mcnemar_is_a_symmetric_probability(a: int, b: int) -> None:
    assert 0 <= mcnemar(a, b) == mcnemar(b, a) <= 1


def test_mcnemar_is_exact_where_powers_of_two_are_too_small_for_floats() -> None:
    tail = sum(math.comb(1114, i) for i in range(19))
    assert mcnemar(18, 1096) == pytest.approx(2 * tail / 2**1114, rel=1e-9)


def test_mcnemar_refuses_negative_counts() -> None:
    with pytest.raises(ValueError, match="wanted counts"):
        mcnemar(-1, 3)


def test_the_ratio_of_one_process_is_the_trimmed_mean_of_its_groups_means() -> None:
    # Geometric means 1, 2, 4, 8 and 100: a fifth is cut at each end, which leaves 2, 4 and 8.
    groups = [[math.log(value / 2), math.log(value * 2)] for value in (1, 2, 4, 8, 100)]
    ratio, low, high = ratio_over_processes([groups], 0)
    assert ratio == pytest.approx(4)
    # Tukey and McLaughlin: ln 2 twice, ln 4, ln 8 twice differ from ln 4 by 4 ln²2 squared; three are kept.
    half = student(2) * math.sqrt(4 * math.log(2) ** 2 / (3 * 2))
    assert (low, high) == pytest.approx((4 * math.exp(-half), 4 * math.exp(half)))


def test_students_quantiles_are_those_of_the_tables() -> None:
    tables = {1: 12.706, 2: 4.303, 3: 3.182, 5: 2.571, 10: 2.228, 17: 2.110, 30: 2.042, 120: 1.980}
    assert {freedom: student(freedom) for freedom in tables} == pytest.approx(tables, abs=5e-4)


def test_the_interval_knows_that_groups_differ() -> None:
    rng = np.random.default_rng(0)
    groups = [rng.normal(level, 0.001, 30).tolist() for level in (0.0, 0.1, 0.0, 0.1, 0.0, 0.1)]
    _, low, high = ratio_over_processes([groups], 0)
    assert math.log(high / low) > 0.1  # six groups of two kinds a tenth apart: ± 2.8 × 0.05 / √6 at the least
    assert low < math.exp(0.05) < high


@pytest.mark.parametrize("disturbed", [0.0, 0.1])
def test_the_interval_covers_what_is_true(disturbed: float) -> None:
    rng = np.random.default_rng(1)
    inside = 0
    for seed in range(400):
        groups = rng.normal(rng.normal(math.log(2), 0.03, (30, 1)), 0.05, (30, 2))
        groups += rng.choice([0, 0.5, -0.5], groups.shape, p=[1 - disturbed, disturbed / 2, disturbed / 2])
        _, low, high = ratio_over_processes([groups.tolist()], seed)
        inside += low <= 2 <= high
    assert 0.92 <= inside / 400 <= 0.99  # 95 % within three deviations of such a count


def test_of_several_processes_the_interval_is_that_of_their_differences() -> None:
    alike = [[math.log(2)] * 2] * 4
    assert ratio_over_processes([alike] * 3, 0) == pytest.approx((2, 2, 2))
    ratio, low, high = ratio_over_processes([[[math.log(level)] * 2] * 4 for level in (1, 2, 4)], 0)
    assert ratio == pytest.approx(2)
    assert (low, high) == pytest.approx((1, 4))  # one time in 27 all three drawn are the first, or the last
    assert ratio_over_processes([alike] * 3, 5) == ratio_over_processes([alike] * 3, 5)


def test_groups_and_members_within_processes_are_resampled_too() -> None:
    rng = np.random.default_rng(0)
    same = rng.normal(0, 0.1, (12, 2)).tolist()
    _, low, high = ratio_over_processes([same] * 3, 0)
    assert 0.05 < math.log(high / low) < 0.3  # processes alike: 2 × 1.96 × 0.1 / √72 = 0.046, twice that by resampling


def test_the_mean_of_ratios_is_no_mean_of_logarithms() -> None:
    logs = [[math.log(1.0), math.log(3.0)] * 30, [math.log(1.0), math.log(3.0), math.log(3.0)] * 20]
    mean, low, high = mean_over_processes([logs], 0)
    assert mean == pytest.approx((2 + 7 / 3) / 2)
    assert low < mean < high


def test_a_ratio_wants_groups() -> None:
    for launches in ([], [[]], [[[0.1]]], [[[0.1], []]], [[[0.1], [0.1]], [[0.1]]]):
        with pytest.raises(ValueError, match="wanted two groups or more"):
            ratio_over_processes(launches, 0)


def test_the_bound_of_a_percentile_by_hand() -> None:
    # Of 64 values at most 61 are below the 90th percentile with probability 1 - 0.0012 - 0.0084 - 0.0294 = 0.961, at
    # most 60 with 0.894: the 62nd smallest is the bound.
    values = list(range(64, 0, -1))
    assert percentile_bound(values, 0.9) == 62
    assert percentile_bound(values[1:], 0.9) is None  # 63


def test_the_bound_covers_the_percentile_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    above = [percentile_bound(rng.exponential(1, 200).tolist(), 0.9) >= -math.log(0.1) for _ in range(1000)]
    assert 0.94 <= np.mean(above) <= 0.99  # steps of whole values: never less than 95 %, but for chance
    assert percentile_bound(np.arange(100_000).tolist(), 0.9) == pytest.approx(90_156, abs=3)  # 1.645 × √(n · 0.09)


def test_the_ratio_of_ratios_by_hand() -> None:
    # In units of ln 2 the upper one is 2 - 3 and 2 + 4, the lower one 1 - 3 and 1 + 4: 1 - √(9 + 16), 1 + √(16 + 9).
    assert ratio_of_ratios((4, 0.5, 64), (2, 0.25, 32)) == pytest.approx((2, 2 / 32, 2 * 32))
    exact = (3.0, 3.0, 3.0)
    assert ratio_of_ratios(exact, exact) == (1, 1, 1)
    assert ratio_of_ratios((6, 4, 7), exact) == pytest.approx((2, 4 / 3, 7 / 3))
    assert ratio_of_ratios(exact, (6, 4, 7)) == pytest.approx((1 / 2, 3 / 7, 3 / 4))


def test_what_came_back_by_hand() -> None:
    whole = np.array([True] * 90 + [False] * 10)
    before, after = np.arange(100) < 40, np.arange(100) < 85
    found = share_recovered(before, after, whole, 0)
    assert (found["before"], found["after"], found["parent"]) == (0.4, 0.85, 0.9)
    assert found["came_back"] == pytest.approx(0.45 / 0.5)
    assert 0.8 < found["ci_low"] < 0.9 < found["ci_high"] < 1
    assert found == share_recovered(before, after, whole, 0)


def test_the_interval_of_what_came_back_narrows_with_images() -> None:
    widths = []
    for times in (1, 100):
        before, after, whole = (np.repeat(part, times) for part in (np.arange(50) < n for n in (20, 40, 45)))
        found = share_recovered(before, after, whole, 0)
        widths.append(found["ci_high"] - found["ci_low"])
    assert widths[1] == pytest.approx(widths[0] / 10, rel=0.2)


def test_where_nothing_was_lost_nothing_comes_back() -> None:
    right = np.ones(4, bool)
    assert share_recovered(right, right, right, 0)["came_back"] is None
    one = share_recovered(np.array([True, False]), right[:2], right[:2], 0)
    assert (one["came_back"], one["ci_low"], one["ci_high"]) == (1.0, None, None)  # some resampled pairs lose nothing
