"""``bench list``: names read from files, with nothing heavy imported."""

import argparse
from collections.abc import Sequence
from typing import Any

from bench import plugins
from bench.plugins import Registry

REGISTRIES: dict[str, Registry] = {
    "architectures": plugins.ARCHITECTURES,
    "datasets": plugins.DATASETS,
    "suites": plugins.SUITES,
    "measurements": plugins.MEASUREMENTS,
}
KEYS = (
    "VARIANTS",
    "INPUT",
    "UNIT",
    "VERSION",
    "FIGURES",
    "LICENCE",
    "SYNTHETIC",
)  # told beside the name, where a file has them


def list_names(options: argparse.Namespace) -> tuple[int, Any, str]:
    """Names and one line about each."""
    entries = _entries(options.what)
    width = max((len(entry["name"]) for entry in entries), default=0)
    text = "\n".join(f"{entry['name']:<{width}}  {entry['about']}".rstrip() for entry in entries)
    return 0, entries, text


def _entries(what: str) -> list[dict[str, Any]]:
    if what == "claims":
        from bench.audit.claims import load_claims

        return [{"name": claim.id, "about": f"{claim.metric}: {claim.printed}"} for claim in load_claims()]
    if what == "systems":
        names = plugins.systems()
        return [{**_entry(plugins.ARCHITECTURES, name.partition(":")[0], ()), "name": name} for name in names]
    if what == "runtimes":  # a file may be several
        from bench.runtimes._base import names as runtimes

        return [{**_entry(plugins.RUNTIMES, name.partition("-")[0]), "name": name} for name in runtimes()]
    registry = REGISTRIES[what]
    return [_entry(registry, name) for name in registry.names()]


def _entry(registry: Registry, name: str, keys: Sequence[str] = KEYS) -> dict[str, Any]:
    literals = registry.literals(name)
    about = str(literals.get("SOURCE") or literals["__doc__"].partition("\n")[0])
    entry: dict[str, Any] = {"name": name, "about": about}
    for key in keys:
        if key in literals:
            entry[key.lower()] = literals[key]
    return entry
