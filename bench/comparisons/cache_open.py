"""Time to open a prepared cache of HWDB1.1's size, and to load the first training batch, against one second."""

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.comparisons._large_gnt import write_repeated
from bench.comparisons._prepare_process import prepare_alone
from bench.records.record import Measurement

GOAL = "at most 1: a second for each"
LIMIT = 1.0
VERSION = "1"
ALLOWED_S = 1.0
RECORDS = 1_121_749  # HWDB1.1: 897,758 + 223,991
SIDE = 16  # pixels; the cache is memory-mapped, so unread pixels cost nothing
ROUNDS = 3  # fresh processes; each imports torch and Lightning first
PROBE = """
import sys, time
from pathlib import Path
from datamodules._base import DataSettings
from datamodules.casia_hwdb import build
started = time.perf_counter()
data = build(DataSettings(Path(sys.argv[1])))
data.setup()
data.fingerprint
opened = time.perf_counter()
next(iter(data.train_dataloader()))
print(opened - started, time.perf_counter() - opened)
"""


def compare() -> Measurement:
    """The slower of opening (with fingerprint) and the first batch, over ALLOWED_S; median over fresh processes.

    The import of torch and Lightning is not timed; comparison ``startup`` times the listing.
    """
    with tempfile.TemporaryDirectory() as folder:
        root, cache = Path(folder) / "data", Path(folder) / "cache"
        records = write_repeated(root, RECORDS, SIDE)
        prepare_alone(root, cache)
        rounds = [_probe(root, cache) for _ in range(ROUNDS)]
    opened, first = map(statistics.median, zip(*rounds, strict=True))
    detail = {"n": ROUNDS, "records": records, "open_seconds": opened, "first_batch_seconds": first}
    return Measurement(max(opened, first) / ALLOWED_S, detail)


def _probe(root: Path, cache: Path) -> tuple[float, float]:
    environment = {**os.environ, "HCCR_BENCH_CACHE": str(cache), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", PROBE, str(root)]
    opened, first = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.split()
    return float(opened), float(first)
