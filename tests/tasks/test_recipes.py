"""Recipes: shared defaults, what each architecture's paper says, and names that do not exist."""

import dataclasses
import json

import pytest

from tasks.architectures import ARCHITECTURES
from tasks.recipe import Augmentation
from tasks.recipes import AUGMENTATION_VARIANTS, LIGHT, PAPER, RECIPES, recipe_for


def test_an_architecture_without_settings_of_its_own_takes_the_defaults() -> None:
    assert recipe_for("light", {"light": {}}) == LIGHT
    assert recipe_for("paper", {}) == PAPER


def test_own_settings_replace_the_defaults_one_by_one() -> None:
    found = recipe_for("paper", {"paper": {"lr": 0.5, "augmentation": {"rotate": 3.0}}})
    assert found == dataclasses.replace(PAPER, lr=0.5, augmentation=Augmentation(rotate=3.0))


def test_an_empty_augmentation_switches_it_off() -> None:
    assert recipe_for("light", {"light": {"augmentation": {}}}).augmentation.identity
    assert not LIGHT.augmentation.identity
    assert not PAPER.augmentation.identity


def test_an_architecture_may_bring_a_recipe_of_its_own() -> None:
    found = recipe_for("modern", {"modern": {"lr": 0.1}})
    assert found == dataclasses.replace(LIGHT, name="modern", lr=0.1)


def test_a_recipe_that_draws_otherwise_keeps_what_an_architecture_says_of_the_other() -> None:
    own = {"light": {"lr": 0.5, "epochs": 3}, "paper": {"batch": 8}}
    light, paper = (recipe_for(name, own) for name in ("light", "paper"))
    for name, stretch, zoom in (("light-resize", (0.5, 2.5), LIGHT.augmentation.zoom),
                                ("light-noresize", (1.0, 1.0), (1.0, 1.0))):  # fmt: skip
        found = recipe_for(name, own)
        assert found.augmentation == dataclasses.replace(light.augmentation, stretch=stretch, zoom=zoom)
        assert dataclasses.replace(found, name="light", augmentation=light.augmentation) == light
    # mobilenet-hccr before section 6.4: flips and rotation alone.
    found = recipe_for("paper-noresize", own)
    assert found.augmentation == Augmentation(0.5, 0.5, 30.0)
    assert dataclasses.replace(found, name="paper", augmentation=paper.augmentation) == paper


def test_unknown_recipes_and_settings_are_named() -> None:
    with pytest.raises(KeyError, match=r"unknown recipe 'heavy'; known: light, mine, paper"):
        recipe_for("heavy", {"mine": {}})
    with pytest.raises(KeyError, match=r"recipe light: unknown settings \['learning_rate'\]"):
        recipe_for("light", {"light": {"learning_rate": 1.0}})


def test_the_paper_recipe_is_what_mobilenet_hccr_prints() -> None:
    # Section 3: Adam, 0.001, x 0.94 every 2.5 epochs, batch 256; 160,000 steps of 256 over 897,758 images.
    assert (PAPER.optimizer, PAPER.lr, PAPER.schedule, PAPER.gamma) == ("adam", 1e-3, "staircase", 0.94)
    assert (PAPER.step_epochs, PAPER.batch) == (2.5, 256)
    assert PAPER.epochs == pytest.approx(160_000 * 256 / 897_758, abs=0.05)
    assert PAPER.augmentation == Augmentation(0.5, 0.5, 30.0, (0.5, 2.5))


@pytest.mark.parametrize("name", ARCHITECTURES.names())
@pytest.mark.parametrize("recipe", [*sorted(RECIPES), *AUGMENTATION_VARIANTS])
def test_every_architecture_states_its_recipes_as_literals(name: str, recipe: str) -> None:
    """Records and listings read them without importing torch; training takes them from the module."""
    literal = ARCHITECTURES.literals(name)["RECIPE"]
    assert literal == ARCHITECTURES.load(name).RECIPE
    found = recipe_for(recipe, literal)
    assert found.optimizer in ("sgd", "adam", "adamw", "none")
    assert found.schedule in ("constant", "staircase", "plateau", "onecycle")
    assert json.loads(json.dumps(found.as_dict()))["name"] == recipe
