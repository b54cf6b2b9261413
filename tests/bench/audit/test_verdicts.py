import pytest
from fake.claims import claim

from bench.audit.verdicts import Finding, judge


def judged(printed, num, computed, relation=None, **finding):
    return judge(claim(printed=printed, num=num), Finding(computed, "counted", **finding), relation)


@pytest.mark.parametrize(
    ("printed", "num", "computed", "wanted"),
    [
        ("3.23", 3_230_000, 3_238_730, "exact"),  # cut off
        ("1.70", 1_700_000, 1_697_866, "exact"),  # rounded
        ("12K", 12_000, 11_648, "exact"),
        ("12K", 12_000, 12_999, "exact"),
        ("12K", 12_000, 13_000, "approximate"),
        ("-47%", -47, -47.5, "exact"),
        ("11.58", 11_580_000, 11_596_288, "approximate"),
        ("10", 10, 11.2, "contradicted"),
        ("536 K", 536_000, 2_290_896, "contradicted"),
        ("decreases only 1.5%", -1.5, 1.548, "contradicted"),
        ("0%", 0, 0, "exact"),
        ("10^5", 100_000, 10_312, "contradicted"),
        ("50,000", 50_000, 50_000, "exact"),
        ("52*52", 52, 52, "exact"),
    ],
)
def test_verdicts_are_arithmetic_on_the_printed_digits(printed, num, computed, wanted):
    assert judged(printed, num, computed).verdict == wanted


def test_the_deviation_is_that_of_the_printed_figure():
    found = judged("110", 110, 104)
    assert (found.verdict, found.deviation) == ("approximate", pytest.approx(6 / 104))


@pytest.mark.parametrize(
    ("relation", "computed", "wanted"),
    [("at_most", 15, "exact"), ("at_most", 15.1, "contradicted"), ("above", 15, "contradicted"),
     ("above", 60, "exact"), ("below", 14, "exact"), ("at_least", 14, "contradicted")],
)  # fmt: skip
def test_a_printed_bound_holds_or_not(relation, computed, wanted):
    assert judged("15", 15, computed, relation).verdict == wanted


def test_a_value_in_the_range_of_the_stated_method_is_exact():
    assert judged("52.45", 52.45, 52.6, low=52.3, high=52.7).verdict == "exact"
    assert judged("81.10", 81.1, 66.0, low=64.0, high=68.0).verdict == "contradicted"


def test_sizes_of_deviations_are_alike_for_too_high_and_too_low():
    assert judged("100", 100, 10).size == pytest.approx(judged("10", 10, 100).size)
    assert judged("-1.5", -1.5, 1.5).size >= 2  # of the wrong sign


def test_the_json_form():
    assert judged("536 K", 536_000, 2_290_896).as_dict() == {
        "id": "p/claim", "verdict": "contradicted", "printed": 536_000, "computed": 2_290_896, "why": "counted",
        "measured": None,
    }  # fmt: skip
