"""``bench profile``: the cost of one system, without training."""

import argparse
from pathlib import Path

from bench.cli._arguments import Answer, positive_int
from bench.cli.doctor import check_builds

HELP = "cost of one system, without training"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    add = parser.add_argument
    add("system", metavar="SYSTEM", help="see: bench list systems")
    add("--classes", type=positive_int, default=3755, metavar="N", help="label-space size; 3,755 by default")
    add("--runtime", default="eager", metavar="NAME", help="see: bench list runtimes")
    add("--checkpoint", type=Path, metavar="FILE", help="trained weights, safetensors; random ones without")
    add("--long", action="store_true", help="time it in three processes, one after the other, and join them")


def run(options: argparse.Namespace) -> Answer:
    """Measure one system and print its figures; exit 1 when one of them has no value."""
    check_builds()
    from bench.boards.profile_text import lines
    from bench.run.profile import LONG, profile_system

    launches = LONG if options.long else 1
    record = profile_system(
        options.system, options.classes, options.runtime, options.checkpoint, options.command, launches
    )
    failed = any(found.get("value") is None for found in record["measurements"].values())
    found = lines(record)
    width = max(len(name) for name, _ in found)
    return int(failed), record, "\n".join(f"{name:<{width}}  {text}" for name, text in found)
