"""Finds plug-ins: the files of a folder, and the entry points of other packages; suggests a name for an unknown one."""

import ast
import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
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
    """No plug-in has this name; the message lists the existing ones."""

    def __str__(self) -> str:
        return str(self.args[0])


class Registry:
    """The plug-ins of one kind: the files of a folder, and entry points of other packages.

    Args:
        package: dotted name of the folder, such as ``tasks.architectures``.
        entry_points: the entry-point group of this kind; empty for none.
        word: name for this kind of plug-in in messages.
    """

    def __init__(self, package: str, entry_points: str = "", word: str = "") -> None:
        self.package, self.group = package, entry_points
        self.word = word or package.rsplit(".", 1)[-1].rstrip("s")

    def names(self) -> list[str]:
        """All names, sorted."""
        files = [file.stem for file in self._folder().glob("*.py") if not file.stem.startswith("_")]
        return sorted({*files, *self._third_party()})

    def check(self, name: str) -> None:
        """Raise UnknownPlugin, with the known names, if no plug-in has this name."""
        known = self.names()
        if name not in known:
            from difflib import get_close_matches  # a slow import

            near = get_close_matches(name, known, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise UnknownPlugin(f"unknown {self.word} {name!r}.{hint} Known: {', '.join(known)}")

    def load(self, name: str) -> ModuleType:
        """Import the plug-in of this name."""
        self.check(name)
        return importlib.import_module(self._third_party().get(name, f"{self.package}.{name}"))

    def literals(self, name: str) -> Mapping[str, Any]:
        """The upper-case literals and the docstring (as ``__doc__``) of a plug-in, read without importing it.

        An unreadable file has no literals, and its ``__doc__`` is the error, so that listing works despite it.
        """
        return self._parsed(name)[0]

    def defines(self, name: str, function: str) -> bool:
        """Whether a plug-in defines this top-level function; read without importing it."""
        return function in self._parsed(name)[1]

    def _parsed(self, name: str) -> tuple[Mapping[str, Any], frozenset[str]]:
        self.check(name)
        try:
            file = self._file(name)
            return _parsed(file, file.stat().st_mtime_ns)
        except (OSError, SyntaxError, ValueError, ImportError) as error:
            return {"__doc__": f"cannot be read ({type(error).__name__}: {error})"}, frozenset()

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
        from importlib import metadata  # a slow import; most registries have no entry points

        return _entry_points(self.group, tuple(sys.path), metadata.entry_points)


@lru_cache  # searching all installed packages takes milliseconds
def _entry_points(group: str, path: tuple[str, ...], find: "Callable[..., metadata.EntryPoints]") -> Mapping[str, str]:
    """Entry point -> module; ``path`` is the search path, a part of the cache key."""
    return {point.name: point.module for point in find(group=group)}


@lru_cache  # the file of an architecture is needed once for each variant
def _parsed(file: Path, changed_ns: int) -> tuple[Mapping[str, Any], frozenset[str]]:
    """Top-level literals and function names of a file; the modification time is a part of the cache key."""
    tree = ast.parse(file.read_bytes())
    literals: dict[str, Any] = {"__doc__": ast.get_docstring(tree) or ""}
    for node in tree.body:
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
            continue
        target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
        if isinstance(target, ast.Name) and target.id.isupper():
            try:
                literals[target.id] = ast.literal_eval(node.value)
            except ValueError:
                continue  # an expression: its value needs an import
    return literals, frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def _source(module: str) -> Path | None:
    """The file of a module, found without importing its parent packages."""
    path: Sequence[str] | None = None
    spec: ModuleSpec | None = None
    parts = module.split(".")
    for depth in range(1, len(parts) + 1):
        finders = (getattr(finder, "find_spec", None) for finder in sys.meta_path)
        specs = (find(".".join(parts[:depth]), path) for find in finders if find is not None)
        spec = next((spec for spec in specs if spec is not None), None)
        if spec is None:
            return None
        path = spec.submodule_search_locations
    return Path(spec.origin) if spec is not None and spec.origin else None
