"""``bench profile``: measures the cost of one system, without training it."""

import argparse
from pathlib import Path

from bench.cli._arguments import Answer, positive_int
from bench.cli.doctor import check_builds

HELP = "measure the cost of one system, without training it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    add = parser.add_argument
    add("system", metavar="SYSTEM", help="name of a system; see: bench list systems")
    add("--classes", type=positive_int, default=3755, metavar="N", help="number of classes; default 3,755")
    add("--runtime", default="eager", metavar="NAME", help="runtime to time; default eager; see: bench list runtimes")
    add("--checkpoint", type=Path, metavar="FILE", help="trained weights, a safetensors file; default: random weights")
    add("--long", action="store_true", help="time in three processes, one after the other, and combine the results")


def run(options: argparse.Namespace) -> Answer:
    """Measure one system and print its figures; exit 1 if a figure has no value."""
    check_builds()
    from bench.boards.profile_text import lines
    from bench.run.profile import LONG, profile_system

    launches = LONG if options.long else 1
    record = profile_system(
        options.system, options.classes, options.runtime, options.checkpoint, options.command, launches
    )
    failed = any(one.get("value") is None for one in record["measurements"].values())
    shown = lines(record)
    width = max(len(name) for name, _ in shown)
    return int(failed), record, "\n".join(f"{name:<{width}}  {text}" for name, text in shown)
