"""System names: ``NAME[:variant][+recipe]``, parsed and spelt in one way only."""

from dataclasses import dataclass
from difflib import get_close_matches

from bench.plugins import ARCHITECTURES, UnknownPlugin, systems
from tasks.recipe import RECIPES


@dataclass(frozen=True)
class System:
    """What one row measures.

    Attributes:
        architecture: ``name`` or ``name:variant``.
        recipe: how it is trained.
        default_recipe: the suite's, which names leave out.
    """

    architecture: str
    recipe: str
    default_recipe: str

    @property
    def name(self) -> str:
        """As records, boards and the command line spell it."""
        return self.architecture if self.recipe == self.default_recipe else f"{self.architecture}+{self.recipe}"


def parse_system(name: str, default_recipe: str) -> System:
    """Read a system's name.

    Raises:
        UnknownPlugin: no such architecture, variant or recipe; the message lists those that exist.
    """
    architecture, *rest = name.split("+")
    known = systems()
    if architecture not in known:
        # One architecture's variants are the likeliest thing meant.
        near = [k for k in known if k.split(":")[0] == architecture.split(":")[0]]
        near = near or get_close_matches(architecture, known, n=1)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise UnknownPlugin(f"unknown system {architecture!r}.{hint} Known: {', '.join(known)}")
    recipes = sorted({*RECIPES, *ARCHITECTURES.literals(architecture.split(":")[0]).get("RECIPE", {})})
    for recipe in rest:
        if recipe not in recipes:
            raise UnknownPlugin(f"{name}: unknown recipe {recipe!r}. Known: {', '.join(recipes)}")
    if len(rest) > 1:
        raise UnknownPlugin(f"{name}: wanted one recipe after '+', got {len(rest)}")
    return System(architecture, rest[0] if rest else default_recipe, default_recipe)
