"""The file name is the registration: what a plug-in folder and the entry points of other packages offer."""

import ast
import importlib
from collections.abc import Mapping
from difflib import get_close_matches
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any


class UnknownPlugin(KeyError):
    """A name that no plug-in has; the message lists those that exist."""

    def __str__(self) -> str:
        return str(self.args[0])


class Registry:
    """The plug-ins of one kind: the files of a folder and third parties' entry points.

    Args:
        package: dotted name of the folder, such as ``tasks.architectures``.
        entry_points: the group under which other packages add theirs; empty for none.
        word: what one plug-in is called in messages.
    """

    def __init__(self, package: str, entry_points: str = "", word: str = "") -> None:
        self.package = package
        self.group = entry_points
        self.word = word or package.rsplit(".", 1)[-1].rstrip("s")

    def names(self) -> list[str]:
        """All names, sorted."""
        own = [file.stem for file in self._folder().glob("*.py") if not file.stem.startswith("_")]
        return sorted({*own, *self._third_party()})

    def check(self, name: str) -> None:
        """Raise UnknownPlugin, with the known names, when there is no plug-in of this name."""
        known = self.names()
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise UnknownPlugin(f"unknown {self.word} {name!r}.{hint} Known: {', '.join(known)}")

    def load(self, name: str) -> ModuleType:
        """Import the plug-in of this name."""
        self.check(name)
        third_party = self._third_party()
        return importlib.import_module(third_party.get(name, f"{self.package}.{name}"))

    def literals(self, name: str) -> Mapping[str, Any]:
        """The upper-case literals and the docstring (as ``__doc__``) of a plug-in, read without importing it."""
        self.check(name)
        tree = ast.parse(self._file(name).read_text(encoding="utf-8"))
        found: dict[str, Any] = {"__doc__": ast.get_docstring(tree) or ""}
        for node in tree.body:
            target = node.target if isinstance(node, ast.AnnAssign) else None
            if isinstance(node, ast.Assign):
                target = node.targets[0]
            if isinstance(target, ast.Name) and target.id.isupper():
                value = getattr(node, "value", None)
                try:
                    found[target.id] = ast.literal_eval(value) if value is not None else None
                except ValueError:
                    continue  # an expression: known only after the import
        return found

    def _folder(self) -> Path:
        spec = find_spec(self.package)
        if spec is None or not spec.submodule_search_locations:
            raise ModuleNotFoundError(f"package {self.package} is not installed")
        return Path(spec.submodule_search_locations[0])

    def _file(self, name: str) -> Path:
        module = self._third_party().get(name)
        if module is None:
            return self._folder() / f"{name}.py"
        spec = find_spec(module)
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError(f"{self.word} {name}: its module {module} is not installed")
        return Path(spec.origin)

    def _third_party(self) -> dict[str, str]:
        if not self.group:
            return {}
        return {point.name: point.module for point in metadata.entry_points(group=self.group)}
