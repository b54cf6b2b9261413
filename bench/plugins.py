"""Plug-in registries: each file of a plug-in folder is one plug-in, and listing imports none of them."""

from collections.abc import Sequence

from datamodules import DATASETS
from datamodules._plugins import Registry, UnknownPlugin
from tasks.architectures import ARCHITECTURES

SUITES = Registry("bench.suites")
MEASUREMENTS = Registry("bench.measurements")
RUNTIMES = Registry("bench.runtimes")
COMPARISONS = Registry("bench.comparisons")
VERBS = Registry("bench.cli")
# Version of the exported files, part of the version of each figure in a runtime. Bump it when the same weights give
# another graph.
EXPORT_VERSION = "3"
INT8_VERSION = "2"  # the same, of the graphs in int8 alone
INT8, W8 = "-int8", "-w8"  # suffixes of runtimes that round weights, and with int8 activations too
# Kinds that ``bench list`` shows file by file.
LISTED = {"architectures": ARCHITECTURES, "datasets": DATASETS, "suites": SUITES, "measurements": MEASUREMENTS}
KINDS = (*LISTED, "systems", "runtimes", "claims")  # all kinds that ``bench list`` accepts

__all__ = [
    "ARCHITECTURES", "COMPARISONS", "DATASETS", "KINDS", "LISTED", "MEASUREMENTS", "RUNTIMES", "SUITES", "VERBS",
    "Registry", "UnknownPlugin", "check_runtimes", "exportable_runtimes", "exported_name", "figures", "in_runtimes",
    "measurement_of", "runtimes", "systems", "version_in_runtime",
]  # fmt: skip


def systems() -> list[str]:
    """Every variant of every architecture, as ``name`` or ``name:variant``."""
    variants = {name: ARCHITECTURES.literals(name).get("VARIANTS", ()) for name in ARCHITECTURES.names()}
    return [system for name in variants for system in [f"{name}:{v}" for v in variants[name]] or [name]]


def runtimes() -> list[str]:
    """Every runtime and its forms, sorted: ``onnxruntime``, ``onnxruntime-int8`` and so on."""
    forms = {file: ("", *RUNTIMES.literals(file).get("FORMS", ())) for file in RUNTIMES.names()}
    return sorted(f"{file}-{form}" if form else file for file in forms for form in forms[file])


def exported_name(runtime: str) -> str:
    """Name of the file that a system in this runtime ships as, such as ``recogniser.onnx``; empty if there is none."""
    return str(RUNTIMES.literals(runtime.partition("-")[0]).get("FILE", ""))


def exportable_runtimes() -> tuple[str, ...]:
    """The runtimes that a system ships as a file for."""
    return tuple(name for name in runtimes() if exported_name(name))


def check_runtimes(*names: str) -> None:
    """Raise UnknownPlugin, which lists the known names, if a name is no runtime or form of a runtime."""
    known = runtimes()
    for name in names:
        if name not in known:
            raise UnknownPlugin(f"unknown runtime {name!r}. Known: {', '.join(known)}")


def figures(measurement: str) -> tuple[str, ...]:
    """Names of a measurement's figures in records: its own name, or its FIGURES if it yields several."""
    names: tuple[str, ...] = MEASUREMENTS.literals(measurement).get("FIGURES", (measurement,))
    return names


def measurement_of(figure: str, measurements: Sequence[str]) -> str | None:
    """The measurement that yields a figure, such as ``latency`` for ``latency@onnxruntime``; None if none does."""
    direct = (name for name in measurements if figure in figures(name))
    base, _, condition = figure.partition("@")
    return next(direct, base if condition in runtimes() and base in in_runtimes(measurements) else None)


def version_in_runtime(version: str, runtime: str) -> str:
    """Version of a measurement's figures in a runtime: VERSION.EXPORT_VERSION, in int8 VERSION.EXPORT.INT8_VERSION."""
    return f"{version}.{EXPORT_VERSION}" + (f".{INT8_VERSION}" if runtime.endswith(INT8) else "")


def in_runtimes(measurements: Sequence[str]) -> tuple[str, ...]:
    """The measurements that also run in each runtime: their files define ``measure_in``."""
    return tuple(name for name in measurements if MEASUREMENTS.defines(name, "measure_in"))
