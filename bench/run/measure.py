"""A trained row's figures, phase by phase; one that fails is an error at its place, and the others go on."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bench.measurements._deployment import Deployment
from bench.measurements._row import Row
from bench.plugins import MEASUREMENTS, figures
from bench.records.record import Measurement

Deployed = Sequence[tuple[str, str]]  # (runtime, measurement) of what is taken there, as ``Plan.deployed`` says

_PATH = re.compile(r"(?<![\w/])(?:~|\.{0,2})/(?:[^\s/'\":]+/)*([^\s/'\":]+)")  # from a root, ~, . or ..


@dataclass(frozen=True)
class Condition:
    """One figure of a measurement that gives several: what a measurement's file holds, for that figure alone."""

    UNIT: str
    VERSION: str
    PHASE: str
    measure: Callable[..., Any]


def measurement_modules(measurements: Sequence[str]) -> dict[str, Any]:
    """What takes each figure of these measurements, by its name in records: their modules, or a Condition."""
    found: dict[str, Any] = {}
    for name in measurements:
        module = MEASUREMENTS.load(name)
        for figure in figures(name):
            one = Condition(module.UNIT, module.VERSION, module.PHASE, partial(module.measure, figure=figure))
            found[figure] = module if figure == name else one
    return found


def measure_phase(phase: str, row: Row, modules: Mapping[str, Any], found: dict[str, Any]) -> None:
    """Add a phase's figures to those that are found, by their names; what is there stays.

    Args:
        phase: of ``bench.measurements``.
        row: what is measured.
        modules: what takes each figure, by its name.
        found: as they stand in a record.
    """
    for name, module in modules.items():
        if phase == module.PHASE and name not in found:
            found[name] = figure(module, partial(module.measure, row))


def export(row: Row, deployed: Deployed, found: Mapping[str, Any], folder: Path) -> None:
    """Leave in a folder what a row needs in its runtimes: its exports, and how their answers compare."""
    for deployment, missing in _deployments(row, deployed, found, folder):
        if missing:
            with suppress(Exception):  # raised again, and told, where it is measured
                _ = deployment.agreement
                _ = deployment.answers


def measure_in_runtimes(row: Row, deployed: Deployed, found: dict[str, Any], folder: Path) -> None:
    """Add a row's figures in each of its runtimes, as ``name@runtime``, by what ``export`` has left."""
    for deployment, missing in _deployments(row, deployed, found, folder):
        for name in missing:
            module = MEASUREMENTS.load(name)
            found[f"{name}@{deployment.runtime}"] = figure(module, partial(module.measure_in, deployment))


def figure(module: Any, measure: Callable[[], Measurement]) -> dict[str, Any]:
    """One figure, or why there is none, as it stands in a record; ``module`` names its unit and version."""
    try:
        found = measure()
    except Exception as error:
        found = Measurement(None, {"error": describe(error)})
    return found.as_dict(module.UNIT, module.VERSION)


def describe(error: BaseException) -> str:
    """An error as a record states it: its type and text, paths by their base names."""
    text = _PATH.sub(r"\1", str(error))
    return f"{type(error).__name__}: {text}"


def _deployments(
    row: Row, deployed: Deployed, found: Mapping[str, Any], folder: Path
) -> Iterator[tuple[Deployment, tuple[str, ...]]]:
    """The row in each runtime, and what is still to be measured of it there."""
    for runtime in dict.fromkeys(runtime for runtime, _ in deployed):
        own = (folder / runtime).resolve()
        own.mkdir(parents=True, exist_ok=True)
        missing = tuple(name for other, name in deployed if other == runtime and f"{name}@{runtime}" not in found)
        yield Deployment(row, runtime, own), missing
