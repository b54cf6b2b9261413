"""Exits by hand: who leaves where, what it answers and costs, and which policy is chosen."""

import numpy as np
import pytest

from tasks.early_exits.policy import (
    GRID,
    BudgetError,
    Costs,
    ExitPolicy,
    HeadAnswers,
    choose_policy,
    expected_cost,
    follow,
    path_costs,
)

HEADS = ("a", "b", "final")
# Stages and heads cost powers of ten: a sum shows what is in it.
COSTS = Costs((1.0, 100.0, 10_000.0), (10.0, 1_000.0, 100_000.0))
# Four characters of class 1: a is sure and right, sure and wrong, unsure, unsure; b is sure of the third.
ANSWERS = HeadAnswers(
    np.array([[1, 0, 1], [0, 1, 1], [0, 1, 0], [0, 0, 1]], np.int32),
    np.array([[0.99, 0.5, 0.9], [0.98, 0.5, 0.9], [0.4, 0.985, 0.9], [0.3, 0.5, 0.9]], np.float32),
    np.array([1, 1, 1, 0], np.int32),
)
LABELS = np.ones(4, np.int64)


def test_characters_leave_at_the_first_exit_that_is_sure() -> None:
    classes, left = follow(ExitPolicy({"a": 0.97, "b": 0.97}), HEADS, ANSWERS)
    assert classes.tolist() == [1, 0, 1, 1]
    assert left.tolist() == [0, 0, 1, 2]
    classes, left = follow(ExitPolicy({"a": 0.985}, average=True), HEADS, ANSWERS)
    assert classes.tolist() == [1, 1, 1, 0]  # the others by both of the last heads
    assert left.tolist() == [0, 2, 2, 2]
    classes, left = follow(ExitPolicy(), HEADS, ANSWERS)
    assert (classes.tolist(), left.tolist()) == ([1, 1, 0, 1], [2, 2, 2, 2])


def test_a_path_pays_for_the_heads_that_are_asked_alone() -> None:
    def paths(*exits: str, average: bool = False) -> tuple[float, ...]:
        return path_costs(ExitPolicy(dict.fromkeys(exits, 0.9), average), HEADS, COSTS)

    assert paths() == (1, 101, 110_101)
    assert paths("a") == (11, 111, 110_111)  # b is passed, not asked
    assert paths("a", average=True) == (11, 1_111, 111_111)
    assert paths("b") == (1, 1_101, 111_101)
    assert paths("a", "b", average=True) == paths("a", "b") == (11, 1_111, 111_111)


def test_what_was_measured_of_each_head_alone_is_scaled_by_the_parts_of_the_path() -> None:
    timed = Costs((1.0, 3.0, 4.0), (1.0, 1.0, 2.0), alone=(10.0, 40.0, 100.0))  # parts of the heads alone: 2, 5, 10
    assert path_costs(ExitPolicy(), HEADS, timed)[2] == 100
    # b's head takes the long path from 10 parts to 11, a's the middle one from 5 to 6.
    assert path_costs(ExitPolicy({"b": 0.9}), HEADS, timed)[1:] == (40, 110)
    assert path_costs(ExitPolicy({"a": 0.9, "b": 0.9}), HEADS, timed) == (10, 48, 120)


def test_expected_cost_is_the_mean_over_characters() -> None:
    left = np.array([0, 0, 1, 2], np.int8)
    assert expected_cost(left, (11, 1_111, 111_111)) == (2 * 11 + 1_111 + 111_111) / 4


def test_the_cheapest_policy_that_is_no_less_accurate_is_chosen() -> None:
    # The final head alone reads 3 of 4. From 0.985 down, leaving at b gains the third; from 0.5 down it loses the
    # fourth, which that makes up for. Leaving at a from 0.99 down reads the first; from 0.98 down it loses the second.
    chosen = choose_policy(HEADS, ANSWERS, LABELS, COSTS, average=False)
    classes, left = follow(chosen, HEADS, ANSWERS)
    assert left.tolist() == [0, 1, 1, 1]
    assert chosen.exits == {"a": 0.988951, "b": 0.5}  # the highest of those tried that do
    assert (classes == LABELS).sum() == 3


def test_with_a_margin_what_is_gained_must_outweigh_what_is_lost() -> None:
    # At 0.985 b gains one character and loses none, by just a standard error.
    chosen = choose_policy(HEADS, ANSWERS, LABELS, COSTS, average=False, margin=1.0)
    assert chosen.exits == {"a": 0.988951, "b": 0.984375}
    assert choose_policy(HEADS, ANSWERS, LABELS, COSTS, average=False, margin=1.1).exits == {"a": 0.988951}


def test_where_losses_alone_count_nothing_makes_up_for_them() -> None:
    none = choose_policy(HEADS, ANSWERS, LABELS, COSTS, average=False, most_lost=0.2)  # not one of four
    assert none.exits == {"a": 0.988951, "b": 0.984375}
    one = choose_policy(HEADS, ANSWERS, LABELS, COSTS, average=False, most_lost=0.25)
    assert one.exits == {"a": 0.988951, "b": 0.5}  # loses the fourth; the first, which b would lose, leaves at a


def test_characters_misread_at_high_thresholds_do_not_rule_out_lower_ones() -> None:
    # Leaving from 0.9 on loses five characters; leaving from 0.7 on as well wins six.
    assert 0.5 < chosen_of(lost=5, won=6).exits["a"] <= 0.7
    assert chosen_of(lost=5, won=4).exits == {}  # no less accurate than the final head it must be all the same


def test_a_lucky_policy_is_not_taken_with_a_margin() -> None:
    assert chosen_of(lost=5, won=6, margin=2.0).exits == {}
    assert list(chosen_of(lost=5, won=6, margin=2.0, budget=40_000).exits) == ["a"]  # takes the most accurate within it


def chosen_of(lost: int, won: int, budget: float | None = None, margin: float = 0.0) -> ExitPolicy:
    """The policy where the first head is sure of some that it misreads, and less sure of others that it alone reads."""
    answers = HeadAnswers(
        np.array([[0, 1, 1]] * lost + [[1, 0, 0]] * won, np.int32),
        np.array([[0.95, 0, 0]] * lost + [[0.7, 0, 0]] * won, np.float32),
        np.array([1] * lost + [0] * won, np.int32),
    )
    labels = np.ones(lost + won, np.int64)
    return choose_policy(HEADS, answers, labels, COSTS, average=False, budget=budget, margin=margin)


def test_a_budget_is_kept_and_the_most_accurate_policy_within_it_taken() -> None:
    for budget in (20, 1_000, 30_000, 60_000, 200_000):
        chosen = choose_policy(HEADS, ANSWERS, LABELS, COSTS, budget=budget)
        _, left = follow(chosen, HEADS, ANSWERS)
        assert expected_cost(left, path_costs(chosen, HEADS, COSTS)) <= budget
    all_right = choose_policy(HEADS, ANSWERS, LABELS, COSTS, average=False, budget=200_000)
    classes, _ = follow(all_right, HEADS, ANSWERS)
    assert (classes == LABELS).all()
    with pytest.raises(BudgetError, match="wanted an exit policy that costs at most 5, the cheapest costs 11"):
        choose_policy(HEADS, ANSWERS, LABELS, COSTS, budget=5)


def test_averaging_is_taken_where_it_is_worth_it() -> None:
    # The average alone reads all; leaving at a from 0.9 on loses one, no more than the final head loses anyway.
    answers = HeadAnswers(
        np.array([[0, 1, 1], [1, 1, 0], [0, 1, 1]], np.int32),
        np.array([[0.95, 0, 0], [0.2, 0, 0], [0.2, 0, 0]], np.float32),
        np.array([1, 1, 1], np.int32),
    )
    chosen = choose_policy(HEADS, answers, np.ones(3, np.int64), COSTS)
    assert (list(chosen.exits), chosen.average) == (["a"], True)
    assert 0.2 < chosen.exits["a"] <= 0.95


def test_no_characters_choose_nothing() -> None:
    nothing = HeadAnswers(np.zeros((0, 3), np.int32), np.zeros((0, 3), np.float32), np.zeros(0, np.int32))
    with pytest.raises(ValueError, match="wanted validation characters to choose exits by, got none"):
        choose_policy(HEADS, nothing, LABELS[:0], COSTS)


@pytest.mark.parametrize("threshold", [0.0, -1.0, 4e-7, 1.0001, float("nan"), float("inf")])
def test_a_threshold_lies_above_0_and_is_at_most_1(threshold: float) -> None:
    with pytest.raises(ValueError, match="wanted an exit threshold from 1e-06 to 1, got"):
        ExitPolicy({"b": 0.5, "a": threshold})


def test_the_tried_thresholds_have_the_papers_among_them() -> None:
    assert 0.98 in GRID
    assert list(GRID) == sorted(set(GRID))
    assert 0 < GRID[0] < 1e-5
    assert GRID[-1] == 1
    for wrong in (0.0, 4e-7, 1.1e6, float("inf"), float("nan")):
        with pytest.raises(ValueError, match="wanted temperatures from 1e-06 to 1,000,000, got"):
            ExitPolicy(temperatures=(1.0, wrong))
