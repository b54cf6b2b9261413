"""How each measurement is made today: its VERSION and the first sentence of its documentation."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from bench.plugins import MEASUREMENTS, figures


@dataclass(frozen=True)
class Protocol:
    """How a measurement is made today: its VERSION and one line of text."""

    version: str
    text: str


def present_protocols() -> dict[str, Protocol]:
    """The protocol of every installed figure, by its name; imports no measurement."""
    return {
        figure: Protocol(str(MEASUREMENTS.literals(name)["VERSION"]), _first_words(f"{MEASUREMENTS.package}.{name}"))
        for name in MEASUREMENTS.names()
        for figure in figures(name)
    }


def protocol_name(figure: str, protocols: Mapping[str, Protocol]) -> str:
    """Name of a figure's protocol: its own, or ``latency`` for ``latency@onnxruntime``."""
    return figure if figure in protocols else base_name(figure)


def base_name(figure: str) -> str:
    """``latency`` of ``latency@onnxruntime``: the figure without its condition."""
    return figure.split("@")[0]


def _first_words(module: str) -> str:
    """First paragraph of the docstring of a module's ``measure``."""
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        return ""
    for node in ast.parse(Path(spec.origin).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name == "measure":
            return " ".join((ast.get_docstring(node) or "").split("\n\n")[0].split())
    return ""
