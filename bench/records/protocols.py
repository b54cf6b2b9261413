"""Current protocol of each measurement: its VERSION and the first paragraph of its documentation."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from bench.plugins import MEASUREMENTS, figures


@dataclass(frozen=True)
class Protocol:
    """Current VERSION of a measurement, and its description for boards."""

    version: str
    text: str


def present_protocols() -> dict[str, Protocol]:
    """The protocol of every installed figure by name, without importing the measurements."""
    return {
        figure: Protocol(str(MEASUREMENTS.literals(name)["VERSION"]), _description(f"{MEASUREMENTS.package}.{name}"))
        for name in MEASUREMENTS.names()
        for figure in figures(name)
    }


def protocol_name(figure: str, protocols: Mapping[str, Protocol]) -> str:
    """Name of a figure's protocol: its full name if that has one, else its base name (``latency@x`` -> ``latency``)."""
    return figure if figure in protocols else base_name(figure)


def base_name(figure: str) -> str:
    """A figure's name without its condition or runtime: ``latency@onnxruntime`` -> ``latency``."""
    return figure.split("@")[0]


def _description(module: str) -> str:
    """First paragraph of the docstring of a module's ``measure``."""
    spec = find_spec(module)
    body = ast.parse(Path(spec.origin).read_text(encoding="utf-8")).body if spec and spec.origin else []
    documented = (ast.get_docstring(n) for n in body if isinstance(n, ast.FunctionDef) and n.name == "measure")
    return " ".join((next(documented, None) or "").split("\n\n")[0].split())
