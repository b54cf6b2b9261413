"""The recipes by their names: ``light``, ``paper`` and their variants; a scale cuts epochs, never the recipe."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from tasks.recipe import Augmentation, Heads, Recipe
from tasks.recipe_settings import split_settings, with_settings

# mobilenet-hccr, section 3: flips, rotation by up to 30 degrees, width and height scaled by 0.5 to 2.5.
PAPER_AUGMENTATION = Augmentation(0.5, 0.5, 30.0, (0.5, 2.5))

# Characters are not mirrored in life; small changes of slant, size and place are what writers differ by.
LIGHT_AUGMENTATION = Augmentation(rotate=8.0, stretch=(0.85, 1.18), zoom=(0.85, 1.08), shift=0.06, shear=10.0)

# The suite's default: chosen on validation writers of synthetic_hwdb and a validation part of hwdb100.
LIGHT = Recipe(
    "light", "adamw", 2e-3, "onecycle", 64, 40, weight_decay=0.02, label_smoothing=0.05, augmentation=LIGHT_AUGMENTATION
)

# Defaults of ``paper`` are those of mobilenet-hccr; each architecture's RECIPE states what its own paper says.
PAPER = Recipe(
    "paper", "adam", 1e-3, "staircase", 256, 45.6, gamma=0.94, step_epochs=2.5, augmentation=PAPER_AUGMENTATION
)

RECIPES = {recipe.name: recipe for recipe in (LIGHT, PAPER)}

GIVEN = "given"  # the weights were trained elsewhere; what learns again from them does so as by light

# Recipes that differ from another in what they draw at the most: name -> (the other, changed settings). What
# an architecture says of the other holds for them too.
AUGMENTATION_VARIANTS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    # mobilenet-hccr before section 6.4, which adds the stretch.
    "paper-noresize": ("paper", {"stretch": (1.0, 1.0)}),
    # The same pair by the suite's default: the size of characters left as it is, or changed as that paper does.
    "light-noresize": ("light", {"stretch": (1.0, 1.0), "zoom": (1.0, 1.0)}),
    "light-resize": ("light", {"stretch": (0.5, 2.5)}),
    GIVEN: ("light", {}),
}


def recipe_names(overrides: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """All recipes of an architecture with this RECIPE, those that are made of another last."""
    return [*sorted({*RECIPES, *overrides}), *(name for name in AUGMENTATION_VARIANTS if name not in overrides)]


def recipe_for(name: str, overrides: Mapping[str, Mapping[str, Any]]) -> Recipe:
    """The recipe of this name with an architecture's own settings in place.

    Args:
        name: a recipe name, with settings varied where it goes on, as in ``light~rotate=0``.
        overrides: the architecture's RECIPE; its ``augmentation`` is a mapping of Augmentation's fields.

    Raises:
        KeyError: no such recipe, or an override that recipes do not have.
        SettingError: a varied setting that recipes do not have, or a value that it cannot take.
    """
    base_name, settings = split_settings(name)
    if settings:
        return replace(with_settings(recipe_for(base_name, overrides), settings), name=name)
    if name not in recipe_names(overrides):
        raise KeyError(f"unknown recipe {name!r}; known: {', '.join(recipe_names(overrides))}")
    if name in AUGMENTATION_VARIANTS and name not in overrides:
        other, changed = AUGMENTATION_VARIANTS[name]
        base = recipe_for(other, overrides)
        return replace(base, name=name, augmentation=replace(base.augmentation, **changed))
    own = dict(overrides.get(name, {}))
    base = RECIPES.get(name, replace(LIGHT, name=name))
    unknown = set(own) - {field.name for field in fields(Recipe)}
    if unknown:
        raise KeyError(f"recipe {name}: unknown settings {sorted(unknown)}")
    if "augmentation" in own:
        own["augmentation"] = Augmentation(**own["augmentation"])
    if "heads" in own:
        own["heads"] = Heads(**own["heads"])
    return replace(base, **own)
