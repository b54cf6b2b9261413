"""The file name is the registration: what a plug-in folder and the entry points of other packages offer."""

import ast
import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from functools import lru_cache
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from datamodules._errors import BenchError

if TYPE_CHECKING:
    from importlib import metadata


class UnknownPlugin(BenchError, KeyError):  # noqa: N818  (the name says what is wrong)
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
        """The upper-case literals and the docstring (as ``__doc__``) of a plug-in, read without importing it.

        A file that cannot be read has no literals, and its ``__doc__`` says why: one broken plug-in must not keep
        the others from being listed.
        """
        self.check(name)
        try:
            return self._parsed(name)[0]
        except (OSError, SyntaxError, ValueError, ImportError) as error:
            return {"__doc__": f"cannot be read ({type(error).__name__}: {error})"}

    def defines(self, name: str, function: str) -> bool:
        """Whether a plug-in's file defines a function of this name at its top; read without importing it."""
        self.check(name)
        try:
            return function in self._parsed(name)[1]
        except (OSError, SyntaxError, ValueError, ImportError):
            return False

    def _parsed(self, name: str) -> tuple[Mapping[str, Any], frozenset[str]]:
        file = self._file(name)
        return _parsed(file, file.stat().st_mtime_ns)

    def _folder(self) -> Path:
        spec = find_spec(self.package)
        if spec is None or not spec.submodule_search_locations:
            raise ModuleNotFoundError(f"package {self.package} is not installed")
        return Path(spec.submodule_search_locations[0])

    def _file(self, name: str) -> Path:
        module = self._third_party().get(name)
        if module is None:
            return self._folder() / f"{name}.py"
        source = _source(module)
        if source is None:
            raise ModuleNotFoundError(f"{self.word} {name}: its module {module} is not installed")
        return source

    def _third_party(self) -> Mapping[str, str]:
        if not self.group:
            return {}
        from importlib import metadata  # takes longer than all else here; most registries have no entry points

        return _entry_points(self.group, tuple(sys.path), metadata.entry_points)


@lru_cache  # a look at every installed package takes milliseconds
def _entry_points(group: str, path: tuple[str, ...], find: "Callable[..., metadata.EntryPoints]") -> Mapping[str, str]:
    """Module of each entry point, by name; ``path`` is where they are looked for."""
    return {point.name: point.module for point in find(group=group)}


@lru_cache  # an architecture of many variants is as many systems
def _parsed(file: Path, changed_ns: int) -> tuple[Mapping[str, Any], frozenset[str]]:
    """Literals and names of the functions at the top of a file; parsed again when the file has changed."""
    tree = ast.parse(file.read_bytes())
    found: dict[str, Any] = {"__doc__": ast.get_docstring(tree) or ""}
    for node in tree.body:
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
            continue
        target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
        if isinstance(target, ast.Name) and target.id.isupper():
            try:
                found[target.id] = ast.literal_eval(node.value)
            except ValueError:
                continue  # an expression: known only after the import
    return found, frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def _source(module: str) -> Path | None:
    """The file of a module, found without importing the packages that it lies in."""
    path: Sequence[str] | None = None
    spec: ModuleSpec | None = None
    parts = module.split(".")
    for depth in range(1, len(parts) + 1):
        finders = (getattr(finder, "find_spec", None) for finder in sys.meta_path)
        found = (find(".".join(parts[:depth]), path) for find in finders if find is not None)
        spec = next((one for one in found if one is not None), None)
        if spec is None:
            return None
        path = spec.submodule_search_locations
    return Path(spec.origin) if spec is not None and spec.origin else None
