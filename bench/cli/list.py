"""``bench list``: names of plug-ins, systems and claims, read from their files without importing them."""

import argparse
from collections.abc import Sequence
from typing import Any

from bench.cli._arguments import Answer
from bench.plugins import ARCHITECTURES, KINDS, LISTED, RUNTIMES, Registry, runtimes, systems

HELP = "list the names of systems, datasets, suites, runtimes and more"
# Literals of a plug-in's file that the JSON document holds in addition to its name.
KEYS = ("VARIANTS", "INPUT", "UNIT", "VERSION", "FIGURES", "LICENCE", "SYNTHETIC")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("what", choices=KINDS, help="what to list")


def run(options: argparse.Namespace) -> Answer:
    """Print each name with a one-line description."""
    entries = _entries(options.what)
    width = max((len(entry["name"]) for entry in entries), default=0)
    licences = [f"; licence: {entry['licence']}" if "licence" in entry else "" for entry in entries]
    lines = (f"{e['name']:<{width}}  {e['about']}{licence}" for e, licence in zip(entries, licences, strict=True))
    text = "\n".join(line.rstrip() for line in lines)
    return 0, entries, text


def _entries(what: str) -> list[dict[str, Any]]:
    if what == "claims":
        from bench.audit.claims import load_claims

        return [{"name": claim.id, "about": f"{claim.metric}: {claim.printed}"} for claim in load_claims()]
    if what == "systems":
        return [{**_entry(ARCHITECTURES, name.partition(":")[0], ()), "name": name} for name in systems()]
    if what == "runtimes":  # one file may offer several runtimes
        return [{**_entry(RUNTIMES, name.partition("-")[0]), "name": name} for name in runtimes()]
    return [_entry(LISTED[what], name) for name in LISTED[what].names()]


def _entry(registry: Registry, name: str, keys: Sequence[str] = KEYS) -> dict[str, Any]:
    literals = registry.literals(name)
    about = str(literals.get("SOURCE") or literals["__doc__"].partition("\n")[0])
    return {"name": name, "about": about, **{key.lower(): literals[key] for key in keys if key in literals}}
