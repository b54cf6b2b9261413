"""System names: ``NAME[:variant][+recipe][~setting=value…][+storage]``, parsed and spelt in one way only."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

from bench.plugins import ARCHITECTURES, UnknownPlugin, systems
from datamodules._errors import UsageError
from tasks.compression.storage import Storage, parse_storage, storage_forms
from tasks.recipe_settings import SettingError, join_settings, split_settings, without_heads
from tasks.recipes import FINETUNED, GIVEN, recipe_for, recipe_names


@dataclass(frozen=True)
class System:
    """What one row measures.

    Attributes:
        architecture: ``name`` or ``name:variant``.
        recipe: name of the training recipe, with its varied settings: ``light~rotate=0``.
        default_recipe: the suite's recipe, which names leave out.
        storage: how its weights are stored after training; None for float32 as trained.
    """

    architecture: str
    recipe: str
    default_recipe: str
    storage: Storage | None = None

    @property
    def name(self) -> str:
        """The name in records, on boards and on the command line."""
        varied = self.recipe.removeprefix(self.default_recipe)
        recipe = varied if varied.startswith("~") or not varied else f"+{self.recipe}"
        return self.architecture + recipe + (f"+{self.storage.name}" if self.storage else "")

    @property
    def pretrained(self) -> bool:
        """Whether the user supplies its weights; compressed and retrained rows derive from such a row."""
        return self.recipe == GIVEN and self.storage is None

    @property
    def finetuned(self) -> bool:
        """Whether its training starts from weights supplied by the user."""
        base = self.recipe.partition("~")[0]
        return base == FINETUNED and self.storage is None and self.begins_with is None

    @property
    def weights_file(self) -> str:
        """Name of the file that holds its weights."""
        return "weights.packed" if self.storage else "weights.safetensors"

    @property
    def learned(self) -> str:
        """The retraining method after quantisation, ``retrained`` or ``conventional``; empty without retraining."""
        return self.storage.learned if self.storage else ""

    @property
    def begins_with(self) -> "System | None":
        """The system whose trained weights initialise this one's final network; None if trained from scratch."""
        literals = ARCHITECTURES.literals(self.architecture.partition(":")[0])
        if "BEGINS_WITH" not in literals or self.recipe == GIVEN:
            return None
        try:
            heads = recipe_for(self.recipe, literals["RECIPE"]).heads
        except (KeyError, TypeError, ValueError):  # invalid settings of a plug-in: reported where the recipe is used
            return None
        separate = heads is not None and heads.training == "separate"
        return System(literals["BEGINS_WITH"], without_heads(self.recipe), self.default_recipe) if separate else None

    @property
    def parent(self) -> "System | None":
        """The system whose trained weights this one uses, to compress them or to train more heads on them."""
        return replace(self, storage=None) if self.storage else self.begins_with

    @property
    def generation(self) -> int:
        """Number of ancestors, all of which are trained first."""
        return 0 if self.parent is None else 1 + self.parent.generation


def with_parents(systems: Iterable[System]) -> tuple[System, ...]:
    """The systems and their ancestors without duplicates, parents before children."""
    ordered: dict[System, None] = {}
    for system in systems:
        if system.parent is not None:
            ordered |= dict.fromkeys(with_parents([system.parent]))
        ordered.setdefault(system)
    return tuple(ordered)


def parse_system(name: str, default_recipe: str) -> System:
    """Parse a system's name.

    Raises:
        UnknownPlugin: unknown architecture, variant, recipe or storage; the message lists the known ones.
        UsageError: unknown recipe settings, or values out of their range.
    """
    first, *parts = name.split("+")
    architecture, tilde, settings = first.partition("~")
    known = systems()
    if architecture not in known:
        # The variants of the same architecture are the best suggestions.
        near = [k for k in known if k.split(":")[0] == architecture.split(":")[0]]
        near = near or get_close_matches(architecture, known, n=1)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise UnknownPlugin(f"unknown system {architecture!r}.{hint} Known: {', '.join(known)}")
    literals = ARCHITECTURES.literals(architecture.split(":")[0])
    own_recipes = literals.get("RECIPE", {})
    recipes = recipe_names(own_recipes)
    for part in parts:
        if part.split("~")[0] not in recipes and parse_storage(part) is None:
            raise UnknownPlugin(
                f"{name}: unknown recipe or storage {part!r}. Known recipes: {', '.join(recipes)}; "
                f"storages: {'; '.join(storage_forms())}"
            )
    storage = parse_storage(parts.pop()) if parts and parts[-1].split("~")[0] not in recipes else None
    if len(parts) > 1 or (parts and parts[0].split("~")[0] not in recipes):
        raise UnknownPlugin(f"{name}: wanted one recipe at most, then one storage at most")
    if tilde and parts:
        raise UsageError(f"{name}: wanted settings after the recipe: {architecture}+{parts[0]}~{settings}")
    recipe = parts[0] if parts else default_recipe + tilde + settings
    heads = len(literals.get("HEADS", ()))
    return System(architecture, _normalised_recipe(name, recipe, own_recipes, heads), default_recipe, storage)


def base_name(system: str) -> str:
    """The architecture and variant of a system's name, without recipe, settings and storage."""
    return re.split("[+~]", system)[0]


def _normalised_recipe(system: str, recipe: str, own_recipes: Mapping[str, Any], count: int) -> str:
    """The canonical spelling of a recipe for a network of ``count`` heads; raises UsageError for invalid settings."""
    try:
        base, settings = split_settings(recipe)
        if not settings:
            return base
        if base == GIVEN:
            raise SettingError(f"+{GIVEN} is not trained, so its settings cannot be varied")
        name = join_settings(base, settings)
        heads = recipe_for(name, own_recipes).heads if base else None
    except (SettingError, ValueError) as error:
        raise UsageError(f"{system}: {error}") from error
    except (KeyError, TypeError):  # the plug-in's own RECIPE is at fault: its row fails and says why
        return name
    if heads is not None and len(heads.weights) not in (0, count):
        got = len(heads.weights)
        raise UsageError(f"{system}: setting weights: wanted a number for each of {count} heads, got {got}")
    return name


def refuse_unknown_layers(system: System, classes: int) -> None:
    """Raise UsageError, which lists the known layers, if a storage names an unknown one; called before training."""
    if system.storage is not None and system.storage.settings.layers:
        from tasks.compression.packing import check_layers  # imports torch, which names do not need

        try:
            check_layers(system.architecture, classes, system.storage)
        except ValueError as error:
            raise UsageError(f"{system.name}: {error}") from error
