"""Recipe settings in system names: ``light~rotate=0~lr=0.001`` is the recipe ``light`` with two changed settings.

Any field of Recipe, Augmentation and Heads can be changed this way, without code.
"""

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
# The dataclass of each setting; the other fields cannot be written as one value, or follow from the system's name.
_OWNERS: Mapping[str, Any] = {
    field.name: owner
    for owner in (Recipe, Augmentation, Heads)
    for field in fields(owner)
    if field.name not in ("name", "augmentation", "heads", "begun")
}


class SettingError(ValueError):
    """An unknown setting or an invalid value; the message lists the valid ones."""


def split_settings(name: str) -> tuple[str, dict[str, str]]:
    """Split a name into recipe and changed settings: ``light~lr=0.001`` -> ``light``, ``{"lr": "0.001"}``.

    Raises: SettingError: a part without a name or a value, or a repeated setting.
    """
    base, *parts = name.split("~")
    settings: dict[str, str] = {}
    for part in parts:
        setting, equals, value = part.partition("=")
        if not (setting and equals and value):
            raise SettingError(f"wanted SETTING=VALUE after ~, got {part!r}")
        if setting in settings:
            raise SettingError(f"setting {setting} is repeated")
        settings[setting] = value
    return base, settings


def join_settings(base: str, settings: Mapping[str, str]) -> str:
    """The canonical name of a recipe with changed settings: sorted by name, each value in its shortest form.

    Raises: SettingError: an unknown setting or an invalid value.
    """
    return base + "".join(f"~{name}={_canonical(name, text)}" for name, text in sorted(settings.items()))


def with_settings(recipe: Recipe, settings: Mapping[str, str]) -> Recipe:
    """A copy of a recipe with changed settings.

    Args:
        recipe: all other settings are kept.
        settings: values as text, by the names of fields of Recipe, Augmentation and, for networks with early exits,
            Heads. A pair is written ``0.5:2.5``, None is written ``none``.

    Raises: SettingError: an unknown setting, an invalid value, or a setting of Heads for a recipe without heads.
    """
    for name, text in settings.items():
        change = {name: _value(name, text)}
        if _OWNERS[name] is Recipe:
            recipe = replace(recipe, **change)
        elif _OWNERS[name] is Augmentation:
            recipe = replace(recipe, augmentation=replace(recipe.augmentation, **change))
        elif recipe.heads is None:
            raise SettingError(f"setting {name} is one of early exits, which this recipe does not train")
        else:
            recipe = replace(recipe, heads=replace(recipe.heads, **change))
    return recipe


def without_heads(name: str) -> str:
    """A recipe's name without settings of early exits: the recipe of the final network alone."""
    base, settings = split_settings(name)
    return join_settings(base, {name: text for name, text in settings.items() if _OWNERS.get(name) is not Heads})


def known_settings() -> list[str]:
    """Names of all settings that can be changed."""
    return sorted(_OWNERS)


def _value(name: str, text: str) -> Any:
    if name not in _OWNERS:
        raise SettingError(f"unknown setting {name!r}; known: {', '.join(known_settings())}")
    hint = get_type_hints(_OWNERS[name])[name]
    optional = type(None) in get_args(hint)
    if optional and text == "none":
        return None
    plain = next(one for one in get_args(hint) if one is not type(None)) if optional else hint
    try:
        return _parsed(name, plain, text)
    except ValueError as error:
        raise SettingError(f"setting {name}: {error}") from None


def _parsed(name: str, kind: Any, text: str) -> Any:
    if kind in (bool, str):
        choices = ("true", "false") if kind is bool else CHOICES[name]
        if text not in choices:
            raise ValueError(f"wanted one of {', '.join(choices)}, got {text!r}")
        return text == "true" if kind is bool else text
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


def _canonical(name: str, text: str) -> str:
    """The shortest form of a value: ``0.1`` for ``0.10`` and ``1e-1``."""
    value = _value(name, text)
    if value is None or isinstance(value, bool | str):
        return text
    return ":".join(f"{number:.12g}" for number in (value if isinstance(value, tuple) else (value,)))
