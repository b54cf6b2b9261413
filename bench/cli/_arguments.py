"""Argument types and options shared by several verbs of the command line."""

import argparse
from pathlib import Path
from typing import Any

from bench.suites._base import SCALES

Answer = tuple[int, Any, str]  # exit code, JSON document, text for the terminal

SEEDS = 2**32  # numpy's and Lightning's range


def add_json(parser: argparse.ArgumentParser, **settings: Any) -> None:
    """Add ``--json``, which every verb takes."""
    parser.add_argument("--json", action="store_true", help="print one JSON document on stdout", **settings)


def add_records_folder(
    parser: argparse.ArgumentParser,
    flag: str = "--out",
    about: str = "folder that holds results/; default leaderboards",
) -> None:
    """Add the option that names the folder of ``results/``; the default is the committed one."""
    parser.add_argument(flag, type=Path, default=Path("leaderboards"), metavar="DIR", help=about)


def add_record_selection(parser: argparse.ArgumentParser) -> None:
    """Add the options that select records: suite, data set and scale."""
    add = parser.add_argument
    add("--suite", default="hccr", metavar="NAME", help="suite of the records; default hccr")
    add("--dataset", metavar="NAME", help="dataset of the records; default: the suite's own")
    add("--scale", choices=SCALES, default="quick", help="scale of the records; default quick")


def seed(text: str) -> int:
    """Parse a seed: a whole number from 0 to 2**32 - 1."""
    if not text.isdigit() or int(text) >= SEEDS:
        raise argparse.ArgumentTypeError(f"wanted a whole number from 0 to {SEEDS - 1}, got {text!r}")
    return int(text)


def positive_int(text: str) -> int:
    """Parse a whole number above 0."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"wanted a whole number above 0, got {text!r}")
    return int(text)


def positive_float(text: str) -> float:
    """Parse a finite number above 0."""
    value = _float_or(text, 0.0)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"wanted a number above 0, got {text!r}")
    return value


def per_cent(text: str) -> float:
    """Parse a number from 0 to 100."""
    value = _float_or(text, -1.0)
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError(f"wanted per cent from 0 to 100, got {text!r}")
    return value


def _float_or(text: str, default: float) -> float:
    try:
        return float(text)
    except ValueError:
        return default
