"""``bench list``: names of plug-ins, systems and claims, read from files without importing them."""

import argparse
from collections.abc import Sequence
from typing import Any

from bench.cli._arguments import Answer
from bench.plugins import ARCHITECTURES, KINDS, LISTED, RUNTIMES, Registry, runtimes, systems

HELP = "names of what there is"
# Literals that the JSON document holds beside the name, where a file has them.
KEYS = ("VARIANTS", "INPUT", "UNIT", "VERSION", "FIGURES", "LICENCE", "SYNTHETIC")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("what", choices=KINDS, help="kind of names")


def run(options: argparse.Namespace) -> Answer:
    """Print each name with one line about it."""
    entries = _entries(options.what)
    width = max((len(entry["name"]) for entry in entries), default=0)
    text = "\n".join(f"{entry['name']:<{width}}  {entry['about']}".rstrip() for entry in entries)
    return 0, entries, text


def _entries(what: str) -> list[dict[str, Any]]:
    if what == "claims":
        from bench.audit.claims import load_claims

        return [{"name": claim.id, "about": f"{claim.metric}: {claim.printed}"} for claim in load_claims()]
    if what == "systems":
        return [{**_entry(ARCHITECTURES, name.partition(":")[0], ()), "name": name} for name in systems()]
    if what == "runtimes":  # one file may offer several
        return [{**_entry(RUNTIMES, name.partition("-")[0]), "name": name} for name in runtimes()]
    return [_entry(LISTED[what], name) for name in LISTED[what].names()]


def _entry(registry: Registry, name: str, keys: Sequence[str] = KEYS) -> dict[str, Any]:
    literals = registry.literals(name)
    about = str(literals.get("SOURCE") or literals["__doc__"].partition("\n")[0])
    entry: dict[str, Any] = {"name": name, "about": about}
    for key in keys:
        if key in literals:
            entry[key.lower()] = literals[key]
    return entry
