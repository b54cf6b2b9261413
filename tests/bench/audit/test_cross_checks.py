import pytest
from fake.claims import claim

from bench.audit.auditor import Auditor
from bench.audit.formula import span
from bench.audit.verdicts import reach

NEEDS_DATA = {"kind": "data", "why": "files"}


def verdict(*claims):
    """The verdict on the first of these claims, given the others."""
    return Auditor(claims).verdict(claims[0])


def cell(name, printed, num, **check):
    return claim(f"p/{name}", printed=printed, num=num, check=check or NEEDS_DATA)


@pytest.mark.parametrize(
    ("printed", "num", "wanted"),
    [
        ("0.46", 0.46, (0.455, 0.47)),  # 0.455 rounds to it, 0.4699 cut off is it
        ("1.61", 1_610_000, (1_605_000, 1_620_000)),
        ("-87%", -87, (-88, -86.5)),
        ("400", 400, (399.5, 401)),
        ("so", 0, (0, 0)),
    ],
)
def test_digits_reach_from_half_a_digit_below_to_a_whole_one_above(printed, num, wanted):
    assert reach(claim(printed=printed, num=num)) == pytest.approx(wanted)


def test_a_formula_spans_what_its_cells_reach():
    assert span("a / b", {"a": 2.0, "b": 4.0}, {"a": (1.0, 3.0), "b": (2.0, 5.0)}) == (0.2, 1.5)
    assert span("a - 1", {"a": 2.0}, {}) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("printed", "num", "wanted"),
    [("6.7", 6.7, "contradicted"), ("6.9", 6.9, "needs data"), ("6.93", 6.93, "needs data"), ("7", 7, "needs data"),
     ("6.94", 6.94, "contradicted")],  # however small the difference
)  # fmt: skip
def test_another_cell_that_prints_another_value_contradicts_and_is_named(printed, num, wanted):
    found = verdict(cell("text", printed, num, **NEEDS_DATA, same=["p/table"]), cell("table", "6.93", 6.93))
    assert found.verdict == wanted
    assert "p/table prints 6.93" in found.why
    assert found.why.endswith("which agrees") == (wanted == "needs data")


def test_cells_in_words_are_the_same_or_not():
    def stated(text):
        other = claim("p/table", printed="max pooling")
        return verdict(claim("p/text", printed=text, check={**NEEDS_DATA, "same": ["p/table"]}), other).verdict

    assert stated("max pooling") == "needs data"
    assert stated("mean pooling") == "contradicted"


@pytest.mark.parametrize(
    ("key", "num", "wanted"),
    [("not_below", 37.9, "contradicted"), ("not_below", 38.1, "needs data"), ("not_below", 40, "needs data"),
     ("not_above", 38.3, "contradicted"), ("not_above", 38.0, "needs data")],
)  # fmt: skip
def test_a_cell_that_bounds_another_one(key, num, wanted):
    bounded = cell("wide", f"{num:.1f}", num, **NEEDS_DATA, **{key: ["p/narrow"]})
    found = verdict(bounded, cell("narrow", "38.1", 38.1))
    assert found.verdict == wanted
    assert "p/narrow prints 38.1" in found.why


def test_cells_that_imply_another_value_contradict_what_a_network_makes_exact():
    # By hand: conv1 of fire has 9 × 64 + 2 × 64 = 704 parameters, and 700 + 10 is not 704.
    def added(more):
        implied = {"formula": "a + b", "values": {"a": "p/a", "b": "p/b"}}
        check = {"kind": "params", "layers": ["conv1"], "classes": 10, "implied": implied}
        first = claim("p/sum", printed="704", num=704, system="fire:gwap", check=check)
        return verdict(first, cell("a", "700", 700), cell("b", str(more), more))

    assert added(4).verdict == "exact"
    assert added(4).why.endswith("which agrees within the printed digits")
    found = added(10)
    assert (found.verdict, found.computed) == ("contradicted", 704)
    assert found.deviation == pytest.approx((704 - 710) / 710)  # against what the cells imply
    assert "a + b = 710, where a = 700 (p/a); b = 10 (p/b)" in found.why


def test_an_implied_figure_may_rest_on_a_network_too():
    conv1 = {"kind": "params", "layers": ["conv1"], "classes": 10}
    implied = {"formula": "a + n", "values": {"a": "p/a", "n": conv1}}
    for num, wanted in ((1004, "needs data"), (1010, "contradicted")):
        first = claim("p/sum", printed=str(num), num=num, system="fire:gwap", check={**NEEDS_DATA, "implied": implied})
        assert verdict(first, cell("a", "300", 300)).verdict == wanted


def test_rows_of_a_table_are_counted_with_their_repetitions():
    rows = [
        claim("p/table1/row1", check={"kind": "step", "op": "convolution", "at": 1}),
        claim("p/table1/row2", check={"kind": "step", "op": "depthwise", "at": 2, "times": 5}),
        claim("p/table1/row3", check={"kind": "step", "op": "max_pool", "at": 3}),
        claim("p/table2/row1", check={"kind": "step", "op": "convolution", "at": 1}),
    ]
    counted = {"n": {"kind": "rows", "of": "p/table1/", "ops": ["convolution", "depthwise"]}}
    check = {"kind": "formula", "formula": "n", "values": counted}
    assert verdict(claim("p/text", printed="6", num=6, check=check), *rows).verdict == "exact"
    assert verdict(claim("p/text", printed="7", num=7, check=check), *rows).verdict == "contradicted"


@pytest.mark.parametrize(
    ("check", "computed"),
    [
        ({"kind": "layers", "ops": ["convolution"], "within": ["fire2", "fire3"]}, 6),  # three in each fire module
        ({"kind": "layers", "ops": ["convolution"], "within": ["fire"]}, 0),  # whole names, not how they begin
    ],
)
def test_layers_within_parts(check, computed):
    assert verdict(claim(num=1, system="fire:gwap", check={"classes": 10, **check})).computed == computed


def test_parts_of_the_network_are_looked_up_by_name():
    def named(*names):
        return verdict(claim(system="fire_cascade", check={"kind": "parts", "named": list(names), "classes": 10}))

    assert named("mid_a", "mid_b").verdict == "exact"
    assert named("mid_a", "mid_c").verdict == "contradicted"
    assert "it has no mid_c" in named("mid_a", "mid_c").why
