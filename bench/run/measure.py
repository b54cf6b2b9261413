"""Measures a trained row, phase by phase; a failed measurement is recorded as an error, and the rest continue."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from bench.measurements._deployment import Deployment
from bench.measurements._row import Row
from bench.plugins import MEASUREMENTS, figures
from bench.records.record import Measurement

Deployed = Sequence[tuple[str, str]]  # (runtime, measurement), from ``Plan.deployed``

_PATH = re.compile(r"(?<![\w/])(?:~|\.{0,2})/(?:[^\s/'\":]+/)*([^\s/'\":]+)")  # from a root, ~, . or ..


def measurement_modules(measurements: Sequence[str]) -> dict[str, Any]:
    """The module that measures each figure, or an object like it for one of several figures, by name in records."""
    modules: dict[str, Any] = {}
    for name in measurements:
        module = MEASUREMENTS.load(name)
        for figure in figures(name):
            measure = partial(module.measure, figure=figure)
            one = SimpleNamespace(UNIT=module.UNIT, VERSION=module.VERSION, PHASE=module.PHASE, measure=measure)
            modules[figure] = module if figure == name else one
    return modules


def measure_phase(phase: str, row: Row, modules: Mapping[str, Any], measurements: dict[str, Any]) -> None:
    """Measure the missing figures of a phase, and add them to a record's ``measurements``."""
    for name, module in modules.items():
        if phase == module.PHASE and name not in measurements:
            measurements[name] = figure(module, partial(module.measure, row))


def export(row: Row, deployed: Deployed, measurements: Mapping[str, Any], folder: Path) -> None:
    """Export a row for its runtimes into a folder, and compare the runtimes' predictions with eager's."""
    for deployment, missing in _deployments(row, deployed, measurements, folder):
        if missing:
            with suppress(Exception):  # raised again, and recorded, by the measurement
                _ = deployment.agreement
                _ = deployment.answers


def measure_in_runtimes(row: Row, deployed: Deployed, measurements: dict[str, Any], folder: Path) -> None:
    """Measure a row in each of its runtimes with the files of ``export``; adds ``name@runtime`` figures."""
    for deployment, missing in _deployments(row, deployed, measurements, folder):
        for name in missing:
            module = MEASUREMENTS.load(name)
            measurements[f"{name}@{deployment.runtime}"] = figure(module, partial(module.measure_in, deployment))


def figure(module: Any, measure: Callable[[], Measurement]) -> dict[str, Any]:
    """One figure as a record entry, or its error; ``module`` holds unit and version."""
    try:
        result = measure()
    except Exception as error:
        result = Measurement(None, {"error": describe(error)})
    return result.as_dict(module.UNIT, module.VERSION)


def describe(error: BaseException) -> str:
    """An error's type and text for a record; paths are reduced to base names."""
    text = _PATH.sub(r"\1", str(error))
    return f"{type(error).__name__}: {text}"


def _deployments(
    row: Row, deployed: Deployed, measurements: Mapping[str, Any], folder: Path
) -> Iterator[tuple[Deployment, tuple[str, ...]]]:
    """The row in each runtime, and the names of its missing measurements there."""
    for runtime in dict.fromkeys(runtime for runtime, _ in deployed):
        exports = (folder / runtime).resolve()
        exports.mkdir(parents=True, exist_ok=True)
        names = (name for other, name in deployed if other == runtime)
        yield Deployment(row, runtime, exports), tuple(n for n in names if f"{n}@{runtime}" not in measurements)
