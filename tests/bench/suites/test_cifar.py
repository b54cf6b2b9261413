"""Suite cifar: the rows that the paper's tables print, and recipes that cost the same."""

from pathlib import Path

from fake.cifar import write_python

from bench.audit.claims import load_claims
from bench.run.plan import Request, make_plan
from bench.suites.cifar import SUITE
from datamodules.cifar10 import LAYOUT


def test_the_paper_scale_has_every_system_that_the_paper_prints_and_its_pooling_alone() -> None:
    published = {claim.system for claim in load_claims() if claim.paper == "hybrid-mobilenet"} - {None}
    ours = {system for system in published if system is not None and system.startswith("hybrid_mobilenet:")}
    rows = {row for row in SUITE.scales["paper"].systems if "+" not in row}
    assert ours <= rows
    assert len(rows) == 27
    assert {f"hybrid_mobilenet:{pooling}-d1-a1" for pooling in ("mp3", "fmp")} <= rows - ours


def test_the_default_scale_leaves_out_only_the_heaviest_and_the_strides_beyond_the_baseline() -> None:
    quick, paper = SUITE.scales["quick"].systems, SUITE.scales["paper"].systems
    left_out = set(paper) - set(quick)
    strides = {row for row in paper if ":stride-" in row and not row.startswith("hybrid_mobilenet:stride-d1-a1")}
    assert left_out == strides | {"hybrid_mobilenet:fmp-d2-a1", "hybrid_mobilenet:fmp-d4-a1"}
    assert sum(row.endswith("+modern") for row in quick) == 3


def test_names_leave_out_the_papers_recipe_and_both_recipes_train_as_long(tmp_path: Path) -> None:
    root = write_python(tmp_path, LAYOUT)
    plan = make_plan(Request("cifar", data_root=root))
    by_name = {system.name: plan.recipe(system) for system in plan.systems}
    assert list(by_name) == list(SUITE.scales["quick"].systems)
    assert {(recipe.name, recipe.epochs) for recipe in by_name.values()} == {("paper", 15), ("modern", 15)}
