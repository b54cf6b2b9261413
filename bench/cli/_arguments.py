"""Argument types and options that several verbs of the command line share."""

import argparse
from pathlib import Path
from typing import Any

from bench.suites._base import SCALES

Answer = tuple[int, Any, str]  # exit code, JSON document, text for the terminal

SEEDS = 2**32  # numpy's and Lightning's range


def add_json(parser: argparse.ArgumentParser, **settings: Any) -> None:
    """Add ``--json``, which every verb takes."""
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout and nothing else", **settings)


def add_records_folder(parser: argparse.ArgumentParser, flag: str = "--out", about: str = "folder of results/") -> None:
    """Add the option that names the folder of ``results/``, the committed one by default."""
    parser.add_argument(flag, type=Path, default=Path("leaderboards"), metavar="DIR", help=about)


def add_record_selection(parser: argparse.ArgumentParser) -> None:
    """Add the options that select records: suite, data set and scale."""
    add = parser.add_argument
    add("--suite", default="hccr", metavar="NAME", help="suite of the records; hccr by default")
    add("--dataset", metavar="NAME", help="data set, as records name it; the suite's own by default")
    add("--scale", choices=SCALES, default="quick", help="scale of the records; quick by default")


def seed(text: str) -> int:
    """A seed: a whole number from 0 to 2**32 - 1."""
    if not text.isdigit() or int(text) >= SEEDS:
        raise argparse.ArgumentTypeError(f"wanted a whole number from 0 to {SEEDS - 1}, got {text!r}")
    return int(text)


def positive_int(text: str) -> int:
    """A whole number above 0."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"wanted a whole number above 0, got {text!r}")
    return int(text)


def positive_float(text: str) -> float:
    """A finite number above 0."""
    value = _float_or(text, 0.0)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"wanted a number above 0, got {text!r}")
    return value


def per_cent(text: str) -> float:
    """A number from 0 to 100."""
    value = _float_or(text, -1.0)
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError(f"wanted per cent from 0 to 100, got {text!r}")
    return value


def _float_or(text: str, default: float) -> float:
    try:
        return float(text)
    except ValueError:
        return default
