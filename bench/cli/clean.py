"""``bench clean``: lists what no row needs any more below ``runs/`` and in the cache folder, or removes it."""

import argparse
import itertools
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cli._arguments import Answer
from datamodules._errors import UsageError

if TYPE_CHECKING:
    from bench.run.clean import Findings

HELP = "list, or with --yes remove, what no row needs any more; not while a run is in progress"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    add = parser.add_argument
    add("--yes", action="store_true", help="remove the files; without it they are only listed")
    add("--unfinished", action="store_true", help="also what an interrupted run would continue: trainings and packings")
    add("--out", type=Path, action="append", default=[], metavar="DIR",
        help="another folder that holds results/, beside leaderboards and those below runs; repeatable")  # fmt: skip
    add("--runs", type=Path, default=Path("runs"), help=argparse.SUPPRESS)


def run(options: argparse.Namespace) -> Answer:
    """List or remove the files."""
    from bench.run.clean import find_unneeded, remove
    from datamodules._files import cache_folder

    for folder in options.out:
        if not (folder / "results").is_dir():
            raise UsageError(f"--out {folder}: wanted a folder that holds results/, got none; name another one")
    found = find_unneeded(options.runs, [Path("leaderboards"), *options.out], options.unfinished)
    if options.yes:
        remove(found.files, [options.runs, cache_folder()])
    document = {
        "removed": options.yes,
        "files": [{"path": str(file.path), "bytes": file.bytes, "why": file.why} for file in found.files],
        "bytes": sum(file.bytes for file in found.files),
        "kept": [{"path": str(path), "why": why} for path, why in found.kept.items()],
    }
    return 0, document, "\n".join(_lines(found, options.yes))


def _lines(found: "Findings", removed: bool) -> list[str]:
    """One line per folder and reason, then what is kept, and the total."""
    lines = []
    for (folder, why), group in itertools.groupby(found.files, lambda file: (file.path.parent, file.why)):
        files = list(group)
        lines.append(f"{folder}: {_amount(len(files), sum(file.bytes for file in files))}: {why}")
    lines += [f"kept: {path}: {why}" for path, why in found.kept.items()]
    if not found.files:
        return [*lines, "nothing to clean"]
    amount = _amount(len(found.files), sum(file.bytes for file in found.files))
    if removed:
        return [*lines, f"removed {amount}"]
    return [
        *lines,
        f"{amount} that none of {found.records} records needs; nothing is removed yet: add --yes to remove them",
        "if you have records elsewhere, name their folder with --out",
    ]


def _amount(files: int, size: int) -> str:
    return f"{files} file{'s' * (files != 1)}, {size / 1e6:.2f} MB"
