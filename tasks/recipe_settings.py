"""Recipe settings in system names: ``light~rotate=0~lr=0.001`` is the recipe ``light`` with two changed settings.

Any field of Recipe, Augmentation and Heads can be changed this way, without code.
"""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, get_args, get_type_hints

from tasks.recipe import Augmentation, Heads, Recipe

CHOICES = {
    "optimizer": ("sgd", "adam", "adamw", "none"),
    "schedule": ("constant", "staircase", "plateau", "onecycle"),
    "training": ("separate", "joint"),
}
# Least and greatest value of each number; of pairs and lists, of each of their numbers.
LIMITS = {
    "lr": (1e-9, 10), "momentum": (0, 0.9999), "weight_decay": (0, 10), "gamma": (1e-3, 1), "step_epochs": (0.01, 1e4),
    "batch": (1, 65536), "epochs": (0.01, 1e5), "label_smoothing": (0, 0.99), "dropout": (0, 0.99),
    "flip_left_right": (0, 1), "flip_up_down": (0, 1), "rotate": (0, 180), "shift": (0, 1), "shear": (0, 80),
    "stretch": (0.05, 20), "zoom": (0.05, 20), "share": (0.01, 100), "weights": (0, 100), "threshold": (1e-6, 1),
    "budget": (1e-3, 1), "margin": (0, 100), "most_lost": (0, 1),
}  # fmt: skip
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
    changes: dict[Any, dict[str, Any]] = {Recipe: {}, Augmentation: {}, Heads: {}}
    for name, text in settings.items():
        value = _value(name, text)
        changes[_OWNERS[name]][name] = value
    heads = recipe.heads
    if changes[Heads]:
        if heads is None:
            name = next(iter(changes[Heads]))
            raise SettingError(f"setting {name} is one of early exits, which this recipe does not train")
        try:
            heads = replace(heads, **changes[Heads])
        except ValueError as error:
            raise SettingError(str(error)) from None
    if (changes[Recipe].get("optimizer", recipe.optimizer) == "none") != (recipe.optimizer == "none"):
        raise SettingError("setting optimizer: the value none belongs to architectures that are fitted in one pass")
    augmentation = replace(recipe.augmentation, **changes[Augmentation])
    return replace(recipe, augmentation=augmentation, heads=heads, **changes[Recipe])


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
        return _number(name, kind, text)
    numbers = tuple(_number(name, float, part) for part in text.split(":"))
    if Ellipsis not in get_args(kind) and (len(numbers) != 2 or numbers[0] > numbers[1]):
        raise ValueError(f"wanted the least and the greatest value joined by a colon, such as 0.5:2.5, got {text!r}")
    return numbers


def _number(name: str, kind: type, text: str) -> Any:
    (low, high), noun = LIMITS[name], "a whole number" if kind is int else "a number"
    try:
        value = kind(text) + 0  # -0.0 becomes 0.0
    except ValueError:
        raise ValueError(f"wanted {noun}, got {text!r}") from None
    if not low <= value <= high:
        raise ValueError(f"wanted {noun} from {low:g} to {high:g}, got {text!r}")
    return value


def _canonical(name: str, text: str) -> str:
    """The shortest form of a value: ``0.1`` for ``0.10`` and ``1e-1``."""
    value = _value(name, text)
    if value is None or isinstance(value, bool | str):
        return text
    if isinstance(value, int):
        return str(value)
    return ":".join(f"{number:.12g}" for number in (value if isinstance(value, tuple) else (value,)))
