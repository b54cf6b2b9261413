import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.statistics import bootstrap_ratio, mcnemar, nested_bootstrap_ratio, paired_difference, wilson


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


def test_mcnemar_refuses_negative_counts() -> None:
    with pytest.raises(ValueError, match="wanted counts"):
        mcnemar(-1, 3)


def test_nested_ratio_is_the_mean_of_the_groups_medians() -> None:
    groups = [[math.log(2), math.log(2), math.log(100)], [math.log(8)]]
    assert nested_bootstrap_ratio(groups, 0)[0] == pytest.approx(4)  # outliers within a group do not count


def test_nested_interval_knows_that_groups_differ() -> None:
    rng = np.random.default_rng(0)
    groups = [rng.normal(level, 0.001, 30) for level in (0.0, 0.1, 0.0, 0.1, 0.0, 0.1)]
    _, low, high = nested_bootstrap_ratio(groups, 0)
    assert math.log(high / low) > 0.05  # six groups of two kinds a tenth apart: ± 2 × 0.05 / √6
    assert low < math.exp(0.05) < high


def test_nested_interval_covers_what_is_true() -> None:
    rng = np.random.default_rng(1)
    inside = 0
    for seed in range(200):
        groups = [rng.normal(rng.normal(math.log(2), 0.05), 0.02, 5) for _ in range(12)]
        _, low, high = nested_bootstrap_ratio(groups, seed)
        inside += low <= 2 <= high
    assert inside >= 176  # 95 % less what resampling twelve groups costs; 176 is three deviations below 92 %


def test_nested_ratio_wants_groups() -> None:
    for groups in ([], [[0.1], []]):
        with pytest.raises(ValueError, match="at least one log ratio"):
            nested_bootstrap_ratio(groups, 0)
