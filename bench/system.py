"""System names: ``NAME[:variant][+recipe][~setting=value…][+storage]``, parsed and spelt in one way only."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

from bench.plugins import ARCHITECTURES, UnknownPlugin, systems
from datamodules._errors import UsageError
from tasks.compression.storage import Storage, parse_storage, storage_forms
from tasks.recipe_settings import SettingError, join_settings, split_settings, without_heads
from tasks.recipes import GIVEN, recipe_for, recipe_names


@dataclass(frozen=True)
class System:
    """What one row measures.

    Attributes:
        architecture: ``name`` or ``name:variant``.
        recipe: how it is trained, with the settings that are varied: ``light~rotate=0``.
        default_recipe: the suite's, which names leave out.
        storage: how its weights are stored after training; None for float32 as trained.
    """

    architecture: str
    recipe: str
    default_recipe: str
    storage: Storage | None = None

    @property
    def name(self) -> str:
        """As records, boards and the command line spell it."""
        varied = self.recipe.removeprefix(self.default_recipe)
        recipe = varied if varied.startswith("~") or not varied else f"+{self.recipe}"
        return self.architecture + recipe + (f"+{self.storage.name}" if self.storage else "")

    @property
    def given(self) -> bool:
        """Whether its weights are given instead of trained; what is stored or taught again is made from such a row."""
        return self.recipe == GIVEN and self.storage is None

    @property
    def weights_file(self) -> str:
        """Name of the file that holds its weights."""
        return "weights.packed" if self.storage else "weights.safetensors"

    @property
    def learned(self) -> str:
        """How it learns again once it is quantised, ``retrained`` or ``conventional``; empty where it does not."""
        return self.storage.learned if self.storage else ""

    @property
    def begins_with(self) -> "System | None":
        """The system whose trained weights this one's final network takes; None where all of it is trained here."""
        literals = ARCHITECTURES.literals(self.architecture.partition(":")[0])
        if "BEGINS_WITH" not in literals or self.recipe == GIVEN:
            return None
        try:
            heads = recipe_for(self.recipe, literals["RECIPE"]).heads
        except (KeyError, TypeError, ValueError):  # a plug-in's settings; whoever takes the recipe is told
            return None
        separate = heads is not None and heads.training == "separate"
        return System(literals["BEGINS_WITH"], without_heads(self.recipe), self.default_recipe) if separate else None

    @property
    def parent(self) -> "System | None":
        """The system whose trained weights this one is made from, by storing them or by training more heads."""
        return replace(self, storage=None) if self.storage else self.begins_with

    @property
    def generation(self) -> int:
        """How many systems are trained before this one can be made."""
        return 0 if self.parent is None else 1 + self.parent.generation


def with_parents(systems: Iterable[System]) -> tuple[System, ...]:
    """Each system once, those that are made from another's weights after it."""
    found: dict[System, None] = {}
    for system in systems:
        if system.parent is not None:
            found |= dict.fromkeys(with_parents([system.parent]))
        found.setdefault(system)
    return tuple(found)


def parse_system(name: str, default_recipe: str) -> System:
    """Read a system's name.

    Raises:
        UnknownPlugin: no such architecture, variant, recipe or storage; the message lists those that exist.
        UsageError: settings that the recipe does not have, or values that they cannot take.
    """
    first, *rest = name.split("+")
    architecture, _, settings = first.partition("~")
    known = systems()
    if architecture not in known:
        # One architecture's variants are the likeliest thing meant.
        near = [k for k in known if k.split(":")[0] == architecture.split(":")[0]]
        near = near or get_close_matches(architecture, known, n=1)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise UnknownPlugin(f"unknown system {architecture!r}.{hint} Known: {', '.join(known)}")
    own_recipes = ARCHITECTURES.literals(architecture.split(":")[0]).get("RECIPE", {})
    recipes = recipe_names(own_recipes)
    for part in rest:
        if part.split("~")[0] not in recipes and parse_storage(part) is None:
            raise UnknownPlugin(
                f"{name}: unknown recipe or storage {part!r}. Known recipes: {', '.join(recipes)}; "
                f"storages: {'; '.join(storage_forms())}"
            )
    storage = parse_storage(rest.pop()) if rest and rest[-1].split("~")[0] not in recipes else None
    if len(rest) > 1 or (rest and rest[0].split("~")[0] not in recipes):
        raise UnknownPlugin(f"{name}: wanted one recipe at most, then one storage at most")
    if settings and rest:
        raise UsageError(f"{name}: wanted settings after the recipe: {architecture}+{rest[0]}~{settings}")
    recipe = rest[0] if rest else default_recipe + (f"~{settings}" if settings else "")
    return System(architecture, _checked_recipe(name, recipe, own_recipes), default_recipe, storage)


def _checked_recipe(system: str, recipe: str, own: Mapping[str, Any]) -> str:
    """A recipe's name in its one spelling; refuses settings that it does not have."""
    try:
        base, settings = split_settings(recipe)
        if not settings:
            return base
        if base == GIVEN:
            raise SettingError(f"+{GIVEN} is not trained, so that no setting can be varied")
        name = join_settings(base, settings)
        if base:
            recipe_for(name, own)
    except (SettingError, ValueError) as error:
        raise UsageError(f"{system}: {error}") from error
    return name


def refuse_other_layers(system: System, classes: int) -> None:
    """Refuse a storage of named layers that a network does not have, before anything is trained.

    Raises:
        UsageError: names the layers that there are.
    """
    if system.storage is not None and system.storage.settings.layers:
        from tasks.compression.packing import check_layers  # imports torch, which names do not need

        try:
            check_layers(system.architecture, classes, system.storage)
        except ValueError as error:
            raise UsageError(f"{system.name}: {error}") from error
