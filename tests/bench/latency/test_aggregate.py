"""Figures of a record from the times of measuring processes, computed by hand."""

import math

import pytest

from bench.latency.aggregate import ProcessTimes, aa_check_fails, aggregate


def process(ratios: list[list[float]], controls: list[list[float]] | None = None, **changed) -> ProcessTimes:
    """Logarithms of these ratios; 100 calls of 1 to 100 ns, twice as long by the wall's clock where asked."""
    fields = {
        "wall": list(range(1, 101)), "cpu": list(range(1, 101)), "reference": [7, 8, 9], "data_dependent_cost": False,
        "controls": [[0.0, 0.0]] * len(ratios) if controls is None else controls, "details": {"steady": True},
    }  # fmt: skip
    return ProcessTimes(ratios=[[math.log(one) for one in copy] for copy in ratios], **{**fields, **changed})


def test_one_process() -> None:
    copies = [[1.0, 2.0, 4.0], [8.0, 8.0, 8.0], [4.0, 4.0, 4.0], [0.1, 0.1, 0.1], [99.0, 99.0, 99.0]]
    found = aggregate([process(copies)], 0)
    assert (found["value"], found["n"], found["mean"], found["cpu_ns"]) == (50.5, 100, 50.5, 50.5)
    assert (found["q25"], found["q75"], found["p90"]) == pytest.approx((25.75, 75.25, 90.1))
    assert found["p90_bound"] == 96  # of 100 calls at most 95 are below it with probability 0.976; 94: 0.942
    assert found["ratio_to_reference"] == pytest.approx(4)  # outlying copies do not count
    assert found["ratio_ci"][0] < 4 < found["ratio_ci"][1]
    assert (found["rounds"], found["copies"], found["reference_ns"], found["steady"]) == (15, 5, 8, True)
    assert "launches" not in found
    assert "median" not in found
    assert found["noisy"] is False


def test_where_characters_differ_in_cost_means_count() -> None:
    found = aggregate([process([[1.0, 3.0], [1.0, 3.0]], data_dependent_cost=True, wall=[1] * 90 + [101] * 10)], 0)
    assert (found["value"], found["median"]) == (11, 1)
    assert found["ratio_to_reference"] == pytest.approx(2)  # no mean of logarithms, which is 1.73


def test_processes_are_joined_and_each_ones_ratio_is_told() -> None:
    found = aggregate([process([[2.0] * 5] * 4), process([[4.0] * 5] * 4), process([[8.0] * 5] * 4)], 0)
    assert found["ratio_to_reference"] == pytest.approx(4)
    assert found["launches"] == pytest.approx([2, 4, 8])
    assert (found["n"], found["rounds"], found["copies"]) == (300, 60, 12)
    low, high = found["ratio_ci"]
    assert low < 2.7  # copies within a process are alike: only three processes tell how far it may be off
    assert high > 6


def test_a_reference_that_differs_from_itself_is_noise() -> None:
    assert not aa_check_fails((1.005, 0.99, 1.02))
    assert aa_check_fails((1.02, 0.99, 1.05))  # 2 % off
    assert aa_check_fails((1.005, 1.001, 1.01))  # half a per cent, but surely
    assert aggregate([process([[2.0] * 2] * 4, [[0.02, 0.021]] * 4)], 0)["noisy"] is True


def test_time_that_others_took_is_noise() -> None:
    assert aggregate([process([[2.0]] * 4, wall=[104] * 100, cpu=[100] * 100)], 0)["noisy"] is False
    assert aggregate([process([[2.0]] * 4, wall=[106] * 100, cpu=[100] * 100)], 0)["noisy"] is True
