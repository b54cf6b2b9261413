"""Remembers how fast the reference network can be on this machine, in the cache folder, from one run to the next."""

import json
import math
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from bench.records.provenance import machine
from datamodules._files import cache_folder, write_whole

_FILE = "reference-speed.json"  # CPU nanoseconds per call, by machine and version of torch


def fastest_reference() -> float:
    """The least CPU nanoseconds per call of the reference that are known of this machine; infinite if none are."""
    return _known().get(_key(), math.inf)


def remember_fastest(nanoseconds: float) -> None:
    """Keep a time of the reference if it is the least so far; a folder that cannot be written changes nothing."""
    if nanoseconds < fastest_reference():
        with suppress(OSError):
            write_whole(_path(), json.dumps({**_known(), _key(): nanoseconds}, indent=1).encode())


def _known() -> dict[str, float]:
    try:
        known = json.loads(_path().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(known, dict):
        return {}
    return {str(key): float(value) for key, value in known.items() if isinstance(value, int | float) and value > 0}


def _key() -> str:
    return f"{machine()['name']}, torch {version('torch')}"


def _path() -> Path:
    return cache_folder() / _FILE
