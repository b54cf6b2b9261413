"""``bench list systems`` against the half second it may take: listing must not wait for torch."""

import statistics
import subprocess
import sys
import time

from bench.record import Measurement

GOAL = "at most 1: half a second"
LIMIT = 1.0
VERSION = "1"
ALLOWED_S = 0.5
ROUNDS = 9


def compare() -> Measurement:
    """Median wall time of the command over ALLOWED_S.

    Raises:
        RuntimeError: the command imports torch.
    """
    probe = "import sys, bench.cli; bench.cli.main(['list', 'systems']); sys.exit('torch' in sys.modules)"
    if subprocess.run([sys.executable, "-c", probe], stdout=subprocess.DEVNULL).returncode:
        raise RuntimeError("bench list systems imports torch")
    seconds = [_seconds([sys.executable, "-m", "bench.cli", "list", "systems"]) for _ in range(ROUNDS)]
    detail = {"n": ROUNDS, "seconds": statistics.median(seconds), "slowest_seconds": max(seconds)}
    return Measurement(statistics.median(seconds) / ALLOWED_S, detail)


def _seconds(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started
