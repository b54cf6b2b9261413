"""Every kind of plug-in, by the folder whose file names are its names."""

from datamodules import DATASETS
from datamodules._plugins import Registry, UnknownPlugin
from tasks.architectures import ARCHITECTURES

SUITES = Registry("bench.suites")
MEASUREMENTS = Registry("bench.measurements")
RUNTIMES = Registry("bench.runtimes")
COMPARISONS = Registry("bench.comparisons")

__all__ = [
    "ARCHITECTURES", "COMPARISONS", "DATASETS", "MEASUREMENTS", "RUNTIMES", "SUITES", "Registry", "UnknownPlugin",
    "systems",
]  # fmt: skip


def systems() -> list[str]:
    """Every variant of every architecture, as ``name`` or ``name:variant``; imports none of them."""
    found = []
    for name in ARCHITECTURES.names():
        variants = ARCHITECTURES.literals(name).get("VARIANTS", ())
        found += [f"{name}:{variant}" for variant in variants] or [name]
    return found
