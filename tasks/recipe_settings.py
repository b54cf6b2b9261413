"""Settings of a recipe that are varied by name, such as ``light~rotate=0~lr=0.001``: a variant needs no code."""

import math
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, get_args, get_type_hints

from tasks.recipe import Augmentation, Heads, Recipe

CHOICES = {
    "optimizer": ("sgd", "adam", "adamw", "none"),
    "schedule": ("constant", "staircase", "plateau", "onecycle"),
    "training": ("separate", "joint"),
}
_FIXED = {"name", "augmentation", "heads", "begun"}  # not values of a setting


class SettingError(ValueError):
    """A setting that recipes do not have, or a value that it cannot take; says which there are."""


def split_settings(name: str) -> tuple[str, dict[str, str]]:
    """A recipe's own name and its varied settings: ``light~lr=0.001`` -> ``light``, ``{"lr": "0.001"}``.

    Raises:
        SettingError: a part without a name or a value, or a setting that stands twice.
    """
    base, *parts = name.split("~")
    settings: dict[str, str] = {}
    for part in parts:
        setting, equals, value = part.partition("=")
        if not (setting and equals and value):
            raise SettingError(f"wanted SETTING=VALUE after ~, got {part!r}")
        if setting in settings:
            raise SettingError(f"setting {setting} stands twice")
        settings[setting] = value
    return base, settings


def join_settings(base: str, settings: Mapping[str, str]) -> str:
    """The one name of a recipe with varied settings: sorted, each value as short as it can be."""
    return base + "".join(f"~{name}={_spelt(name, text)}" for name, text in sorted(settings.items()))


def with_settings(recipe: Recipe, settings: Mapping[str, str]) -> Recipe:
    """A recipe with some settings varied.

    Args:
        recipe: settings that are not named stay as they are.
        settings: values as text, by the names of fields of Recipe, Augmentation and, for networks with early exits,
            Heads. Two numbers are written ``0.5:2.5``.

    Raises:
        SettingError: an unknown setting, a value that it cannot take, or a setting of heads that there are not.
    """
    for name, text in settings.items():
        value = _value(name, text)
        if name in _names(Recipe):
            recipe = replace(recipe, **{name: value})
        elif name in _names(Augmentation):
            recipe = replace(recipe, augmentation=replace(recipe.augmentation, **{name: value}))
        elif recipe.heads is None:
            raise SettingError(f"setting {name} is one of early exits, which this recipe does not train")
        else:
            recipe = replace(recipe, heads=replace(recipe.heads, **{name: value}))
    return recipe


def without_heads(name: str) -> str:
    """A recipe's name without settings of early exits, as the final network alone is trained."""
    base, settings = split_settings(name)
    return join_settings(base, {name: text for name, text in settings.items() if name not in _names(Heads)})


def known_settings() -> list[str]:
    """Names of all settings that can be varied."""
    return sorted(_names(Recipe) | _names(Augmentation) | _names(Heads))


def _names(kind: type) -> set[str]:
    return {field.name for field in fields(kind)} - _FIXED


def _value(name: str, text: str) -> Any:
    """A setting's value from its text."""
    for kind in (Recipe, Augmentation, Heads):
        if name in _names(kind):
            hint = get_type_hints(kind)[name]
            break
    else:
        raise SettingError(f"unknown setting {name!r}; known: {', '.join(known_settings())}")
    optional = type(None) in get_args(hint)
    if optional and text == "none":
        return None
    plain = next(one for one in get_args(hint) if one is not type(None)) if optional else hint
    try:
        return _parsed(name, plain, text)
    except ValueError as error:
        raise SettingError(f"setting {name}: {error}") from None


def _parsed(name: str, kind: Any, text: str) -> Any:
    if kind is bool:
        if text not in ("true", "false"):
            raise ValueError(f"wanted true or false, got {text!r}")
        return text == "true"
    if kind is str:
        if text not in CHOICES[name]:
            raise ValueError(f"wanted one of {', '.join(CHOICES[name])}, got {text!r}")
        return text
    if kind in (int, float):
        return _number(kind, text)
    numbers = tuple(_number(float, part) for part in text.split(":"))
    if Ellipsis not in get_args(kind) and len(numbers) != len(get_args(kind)):
        raise ValueError(f"wanted {len(get_args(kind))} numbers joined by a colon, such as 0.5:2.5, got {text!r}")
    return numbers


def _number(kind: type, text: str) -> Any:
    try:
        value = kind(text)
    except ValueError:
        raise ValueError(f"wanted {'a whole number' if kind is int else 'a number'}, got {text!r}") from None
    if not math.isfinite(value) or value < 0:
        raise ValueError(f"wanted a finite number that is not below 0, got {text!r}")
    return value


def _spelt(name: str, text: str) -> str:
    """One spelling for each value: ``0.10`` and ``1e-1`` are ``0.1``."""
    value = _value(name, text)
    if value is None or isinstance(value, bool):
        return text
    if isinstance(value, tuple):
        return ":".join(f"{number:.12g}" for number in value)
    return value if isinstance(value, str) else f"{value:.12g}"
