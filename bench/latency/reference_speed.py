"""Remembers how fast the reference network can be on this machine, in the cache folder, from one run to the next."""

import json
import math
import time
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from bench.records.provenance import machine
from datamodules._files import cache_folder, write_whole

_FILE = "reference-speed.json"  # by machine and version of torch: CPU nanoseconds per call, and when they were seen
_FORGOTTEN_S = 7 * 24 * 3600.0  # a cooler week or another host under the same name would spoil all later times


def fastest_reference() -> float:
    """The least CPU nanoseconds per call of the reference that are known of this machine; infinite if none are."""
    return _known().get(_key(), (math.inf, 0.0))[0]


def remember_fastest(nanoseconds: float) -> None:
    """Keep a time of the reference if it is the least of a week; a folder that cannot be written changes nothing."""
    if nanoseconds < fastest_reference():
        with suppress(OSError):
            write_whole(_path(), json.dumps({**_known(), _key(): (nanoseconds, time.time())}, indent=1).encode())


def _known() -> dict[str, tuple[float, float]]:
    try:
        known = json.loads(_path().read_text(encoding="utf-8"))
        entries = {str(key): (float(ns), float(seen)) for key, (ns, seen) in known.items()}
    except (OSError, ValueError, TypeError, AttributeError):  # none yet, or damaged
        return {}
    return {key: (ns, seen) for key, (ns, seen) in entries.items() if ns > 0 and time.time() - seen < _FORGOTTEN_S}


def _key() -> str:
    return f"{machine()['name']}, torch {version('torch')}"


def _path() -> Path:
    return cache_folder() / _FILE
