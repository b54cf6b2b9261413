"""Start-up time of ``bench --help`` and every ``bench list``, against half a second: they must not import torch."""

import statistics
import subprocess
import sys
import time

from bench.plugins import KINDS
from bench.records.record import Measurement

GOAL = "at most 1: half a second"
LIMIT = 1.0
VERSION = "2"
ALLOWED_S = 0.5
ROUNDS = 5


def compare() -> Measurement:
    """The largest median wall-clock time of ``bench --help`` and every ``bench list``, over ALLOWED_S."""
    commands = [["--help"], *(["list", kind] for kind in KINDS)]
    seconds = {" ".join(words): _median_seconds(words) for words in commands}
    return Measurement(max(seconds.values()) / ALLOWED_S, {"n": ROUNDS, "seconds": seconds})


def _median_seconds(words: list[str]) -> float:
    probe = (
        f"import atexit, os, sys, bench.__main__; atexit.register(lambda: 'torch' in sys.modules and os._exit(9)); "
        f"sys.exit(bench.__main__.main({words!r}))"
    )
    if subprocess.run([sys.executable, "-c", probe], stdout=subprocess.DEVNULL).returncode:
        raise RuntimeError(f"bench {' '.join(words)} fails or imports torch")
    return statistics.median(_seconds([sys.executable, "-m", "bench", *words]) for _ in range(ROUNDS))


def _seconds(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started
