"""Current protocol of each measurement: its VERSION and the first paragraph of its documentation."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from bench.plugins import MEASUREMENTS, figures, in_runtimes, runtimes, version_in_runtime


@dataclass(frozen=True)
class Protocol:
    """Current VERSION of a measurement, and its description for boards."""

    version: str
    text: str


def present_protocols() -> dict[str, Protocol]:
    """The protocol of every installed figure by name, without importing the measurements."""
    found = {
        figure: Protocol(_version(name), _description(f"{MEASUREMENTS.package}.{name}"))
        for name in MEASUREMENTS.names()
        for figure in figures(name)
    }
    for name in in_runtimes(MEASUREMENTS.names()):
        for figure in (f"{name}@{runtime}" for runtime in runtimes()):
            found[figure] = Protocol(
                version_in_runtime(_version(name), figure.partition("@")[2]),
                f"`{name}` in that runtime, of the exported file.",
            )
    return found


def protocol_name(figure: str, protocols: Mapping[str, Protocol]) -> str:
    """Name of a figure's protocol: its full name if that has one, else its base name (``latency@x`` -> ``latency``)."""
    return figure if figure in protocols else base_name(figure)


def base_name(figure: str) -> str:
    """A figure's name without its condition or runtime: ``latency@onnxruntime`` -> ``latency``."""
    return figure.split("@")[0]


def _version(measurement: str) -> str:
    return str(MEASUREMENTS.literals(measurement)["VERSION"])


def _description(module: str) -> str:
    """First paragraph of the docstring of a module's ``measure``."""
    spec = find_spec(module)
    body = ast.parse(Path(spec.origin).read_text(encoding="utf-8")).body if spec and spec.origin else []
    documented = (ast.get_docstring(n) for n in body if isinstance(n, ast.FunctionDef) and n.name == "measure")
    return " ".join((next(documented, None) or "").split("\n\n")[0].split())
