"""Registries of plug-ins: the file names of a folder are the names of its plug-ins; listing them imports none."""

from collections.abc import Sequence

from datamodules import DATASETS
from datamodules._plugins import Registry, UnknownPlugin
from tasks.architectures import ARCHITECTURES

SUITES = Registry("bench.suites")
MEASUREMENTS = Registry("bench.measurements")
RUNTIMES = Registry("bench.runtimes")
COMPARISONS = Registry("bench.comparisons")
VERBS = Registry("bench.cli")
# Those that ``bench list`` shows file by file.
LISTED = {"architectures": ARCHITECTURES, "datasets": DATASETS, "suites": SUITES, "measurements": MEASUREMENTS}
KINDS = (*LISTED, "systems", "runtimes", "claims")  # what ``bench list`` lists

__all__ = [
    "ARCHITECTURES", "COMPARISONS", "DATASETS", "KINDS", "LISTED", "MEASUREMENTS", "RUNTIMES", "SUITES", "VERBS",
    "Registry", "UnknownPlugin", "check_runtimes", "figures", "in_runtimes", "measurement_of", "runtimes", "systems",
]  # fmt: skip


def systems() -> list[str]:
    """Every variant of every architecture, as ``name`` or ``name:variant``."""
    found = []
    for name in ARCHITECTURES.names():
        variants = ARCHITECTURES.literals(name).get("VARIANTS", ())
        found += [f"{name}:{variant}" for variant in variants] or [name]
    return found


def runtimes() -> list[str]:
    """Every runtime with its forms, sorted: ``onnxruntime``, ``onnxruntime-int8`` and so on."""
    forms = {file: ("", *RUNTIMES.literals(file).get("FORMS", ())) for file in RUNTIMES.names()}
    return sorted(f"{file}-{form}" if form else file for file in forms for form in forms[file])


def check_runtimes(*asked: str) -> None:
    """Raise UnknownPlugin, with the known names, unless all of these are runtimes, forms included."""
    known = runtimes()
    for name in asked:
        if name not in known:
            raise UnknownPlugin(f"unknown runtime {name!r}. Known: {', '.join(known)}")


def figures(measurement: str) -> tuple[str, ...]:
    """Names of a measurement's figures in records: its own name, or its FIGURES where it gives several."""
    found: tuple[str, ...] = MEASUREMENTS.literals(measurement).get("FIGURES", (measurement,))
    return found


def measurement_of(figure: str, measurements: Sequence[str]) -> str | None:
    """The one of these measurements that gives a figure; ``latency`` for ``latency@onnxruntime``; None if none does."""
    own = (name for name in measurements if figure in figures(name))
    base, _, condition = figure.partition("@")
    return next(own, base if condition in runtimes() and base in in_runtimes(measurements) else None)


def in_runtimes(measurements: Sequence[str]) -> tuple[str, ...]:
    """Those of these measurements that are made in each runtime: their files define ``measure_in``."""
    return tuple(name for name in measurements if MEASUREMENTS.defines(name, "measure_in"))
