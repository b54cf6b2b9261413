"""Recipes by name: ``light``, ``paper`` and their variants. A scale changes the epochs, never the recipe."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from tasks.recipe import Augmentation, Heads, Recipe
from tasks.recipe_settings import split_settings, with_settings

# mobilenet-hccr, section 3: flips, rotation by up to 30 degrees, width and height scaled by 0.5 to 2.5.
PAPER_AUGMENTATION = Augmentation(0.5, 0.5, 30.0, (0.5, 2.5))

# Nobody writes mirrored characters; writers differ by small changes of slant, size and position.
LIGHT_AUGMENTATION = Augmentation(rotate=8.0, stretch=(0.85, 1.18), zoom=(0.85, 1.08), shift=0.06, shear=10.0)

# The suite's default: chosen on validation writers of synthetic_hwdb and a validation part of hwdb100.
LIGHT = Recipe(
    "light", "adamw", 2e-3, "onecycle", 64, 40, weight_decay=0.02, label_smoothing=0.05, augmentation=LIGHT_AUGMENTATION
)

# Defaults of ``paper`` are those of mobilenet-hccr; each architecture's RECIPE replaces them by its own paper's.
PAPER = Recipe(
    "paper", "adam", 1e-3, "staircase", 256, 45.6, gamma=0.94, step_epochs=2.5, augmentation=PAPER_AUGMENTATION
)

RECIPES = {recipe.name: recipe for recipe in (LIGHT, PAPER)}

GIVEN = "given"  # weights supplied by the user; retraining them follows light
FINETUNED = "finetuned"  # starts from weights supplied by the user
FEW_IMAGES_STEPS = 500  # least number of steps of +finetuned and of --per-class: few images need more epochs

# Recipes that equal another one except for the augmentation: name -> (the other, changed augmentation). An
# architecture's settings of the other one apply to them too.
AUGMENTATION_VARIANTS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    # mobilenet-hccr before section 6.4, which adds the stretch.
    "paper-noresize": ("paper", {"stretch": (1.0, 1.0)}),
    # The same pair for the suite's default: without any change of size, and with the stretch of that paper.
    "light-noresize": ("light", {"stretch": (1.0, 1.0), "zoom": (1.0, 1.0)}),
    "light-resize": ("light", {"stretch": (0.5, 2.5)}),
    GIVEN: ("light", {}),
    FINETUNED: ("light", {}),
}


def recipe_names(overrides: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """All recipe names of an architecture with this RECIPE, variants of augmentation last."""
    return [*sorted({*RECIPES, *overrides}), *(name for name in AUGMENTATION_VARIANTS if name not in overrides)]


def recipe_for(name: str, overrides: Mapping[str, Mapping[str, Any]]) -> Recipe:
    """The recipe of this name with an architecture's settings.

    Args:
        name: a recipe name, optionally with changed settings, as in ``light~rotate=0``; these win over the overrides.
        overrides: the architecture's RECIPE: settings by recipe name; ``augmentation`` and ``heads`` are mappings of
            the fields of Augmentation and Heads.

    Raises:
        KeyError: an unknown recipe, or an unknown setting in the overrides.
        SettingError: an unknown setting or an invalid value in the name.
    """
    base_name, changes = split_settings(name)
    if changes:
        return replace(with_settings(recipe_for(base_name, overrides), changes), name=name)
    if name not in recipe_names(overrides):
        raise KeyError(f"unknown recipe {name!r}; known: {', '.join(recipe_names(overrides))}")
    if name in AUGMENTATION_VARIANTS and name not in overrides:
        other, changed = AUGMENTATION_VARIANTS[name]
        base = recipe_for(other, overrides)
        return replace(base, name=name, augmentation=replace(base.augmentation, **changed))
    settings: dict[str, Any] = dict(overrides.get(name, {}))
    base = RECIPES.get(name, replace(LIGHT, name=name))
    unknown = set(settings) - {field.name for field in fields(Recipe)}
    if unknown:
        raise KeyError(f"recipe {name}: unknown settings {sorted(unknown)}")
    for field, kind in (("augmentation", Augmentation), ("heads", Heads)):
        if field in settings:
            settings[field] = kind(**settings[field])
    return replace(base, **settings)
