"""Suite shui: the paper's protocol, its rows, and what it costs."""

from pathlib import Path

from fake.shui import write_slices

from bench.audit.claims import load_claims
from bench.run.plan import Request, make_plan
from bench.suites.shui import SUITE


def test_the_paper_scale_is_the_published_set() -> None:
    scale = SUITE.scales["paper"]
    assert (scale.classes, scale.writers) == (None, (94, 31))


def test_recipes_keep_their_settings_and_are_cut_to_the_scales_epochs(tmp_path: Path) -> None:
    own = write_slices(tmp_path / "pages", {"ladder": 40, "sun": 40})
    embedded = make_plan(Request("shui", scale="smoke", systems=("shui_cnn", "shui_cnn+paper")))
    brought = make_plan(Request("shui", scale="paper", data_root=own, systems=("shui_cnn+paper",)))
    light, paper = (embedded.recipe(system) for system in embedded.systems)
    assert (light.name, light.epochs) == ("light", 1)
    assert (paper.optimizer, paper.lr, paper.momentum, paper.batch, paper.epochs) == ("sgd", 0.001, 0.9, 128, 10)
    assert brought.recipe(brought.systems[0]).epochs == 400  # nobody's own data are cut at the published scale


def test_every_system_that_the_paper_compares_is_a_row_of_every_scale() -> None:
    published = {claim.system for claim in load_claims() if claim.paper == "shui-ocr"}
    assert published == {"shui_cnn", "alexnet", "googlenet"}
    for scale in SUITE.scales.values():
        assert published <= set(scale.systems)
