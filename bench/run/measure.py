"""Measures a trained row, phase by phase; a failed measurement is recorded as an error, and the rest continue."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from bench.deploy.calibration import CALIBRATION, write_calibration
from bench.measurements._deployment import Deployment
from bench.measurements._row import Row
from bench.plugins import MEASUREMENTS, figures, version_in_runtime
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


def export(row: Row, deployed: Deployed, measurements: dict[str, Any], folder: Path) -> None:
    """Export a row for its runtimes into a folder, and compare the runtimes' predictions with eager's.

    Figures of another file than the exported one are removed from a record's ``measurements``.
    """
    for deployment, names in _deployments(row, deployed, folder):
        if all(f"{name}@{deployment.runtime}" in measurements for name in names):
            continue
        with suppress(Exception):  # raised again, and recorded, by the measurement
            write_calibration(folder / CALIBRATION, deployment.characters)
            figures = [one for one in measurements if one.partition("@")[2] == deployment.runtime]
            if any(measurements[one].get("file_sha256", deployment.file_sha256) != deployment.file_sha256
                   for one in figures):  # fmt: skip
                for one in figures:
                    del measurements[one]
            _ = deployment.agreement
            _ = deployment.answers


def measure_in_runtimes(row: Row, deployed: Deployed, measurements: dict[str, Any], folder: Path) -> None:
    """Measure a row in each of its runtimes with the files of ``export``; adds ``name@runtime`` figures."""
    for deployment, names in _deployments(row, deployed, folder):
        for name in names:
            if f"{name}@{deployment.runtime}" not in measurements:
                measurements[f"{name}@{deployment.runtime}"] = figure_in(deployment, name)


def figure_in(deployment: Deployment, name: str) -> dict[str, Any]:
    """One figure in a runtime as a record entry, with the SHA-256 of the exported file."""
    module = MEASUREMENTS.load(name)
    unit = SimpleNamespace(UNIT=module.UNIT, VERSION=version_in_runtime(module.VERSION, deployment.runtime))
    found = figure(unit, partial(module.measure_in, deployment))
    if "error" not in found and deployment.file_sha256 is not None and not getattr(module, "OTHER_FILES", False):
        found["file_sha256"] = deployment.file_sha256
    return found


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


def _deployments(row: Row, deployed: Deployed, folder: Path) -> Iterator[tuple[Deployment, list[str]]]:
    """The row in each runtime, and the names of its measurements there."""
    for runtime in dict.fromkeys(runtime for runtime, _ in deployed):
        exports = (folder / runtime).resolve()
        exports.mkdir(parents=True, exist_ok=True)
        yield Deployment(row, runtime, exports), [name for other, name in deployed if other == runtime]
