"""CPU time per record of preparing a large data set against a small one: must be linear."""

import tempfile
import time
from functools import partial
from pathlib import Path

from bench.comparisons._large_gnt import write_repeated
from bench.comparisons._paired import alternate, median_ratio
from bench.comparisons.prepare_rate import pack_seconds
from bench.records.record import Measurement

GOAL = "processor time per record at most 1.25 times"
LIMIT = 1.25
VERSION = "1"
FEW, MANY = 10_000, 100_000  # records; whole files of 3,755
SIDE = 40  # pixels; smaller than native, so that MANY records take seconds
ROUNDS = 5


def compare() -> Measurement:
    """CPU seconds per record of MANY over FEW, without disk waits; median of paired rounds."""
    with tempfile.TemporaryDirectory() as folder:
        counts = {name: write_repeated(Path(folder) / name, wanted, SIDE)
                  for name, wanted in (("few", FEW), ("many", MANY))}  # fmt: skip

        def seconds_per_record(name: str, number: int) -> float:
            cache = Path(folder) / f"{name}{number}"
            return pack_seconds(Path(folder) / name, cache, time.process_time) / counts[name]

        rounds = alternate(ROUNDS + 1, *(partial(seconds_per_record, name) for name in counts))
    few, many = rounds[1:].T  # the first round fills the page cache
    return median_ratio(many / few, records=counts)
