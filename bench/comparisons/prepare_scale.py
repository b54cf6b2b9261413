"""Processor time of preparing a record among many against among few: linear, not worse."""

import tempfile
import time
from pathlib import Path

import numpy as np

from bench.comparisons._repeated import write_repeated
from bench.comparisons.prepare_rate import pack_seconds
from bench.records.record import Measurement
from bench.records.statistics import bootstrap_ratio

GOAL = "processor time per record at most 1.25 times"
LIMIT = 1.25
VERSION = "1"
FEW, MANY = 10_000, 100_000  # records; whole files of 3,755
SIDE = 40  # pixels: smaller than native, so that the many take seconds
ROUNDS = 5


def compare() -> Measurement:
    """Median ratio of paired rounds: processor seconds per record of MANY over FEW; a busy disk is another matter."""
    with tempfile.TemporaryDirectory() as folder:
        counts = {name: write_repeated(Path(folder) / name, wanted, SIDE)
                  for name, wanted in (("few", FEW), ("many", MANY))}  # fmt: skip
        logs = []
        for number in range(ROUNDS + 1):
            names = ("few", "many") if number % 2 else ("many", "few")
            each = {
                name: pack_seconds(Path(folder) / name, Path(folder) / f"{name}{number}", time.process_time)
                / counts[name]
                for name in names
            }
            logs.append(np.log(each["many"] / each["few"]))
    ratio, low, high = bootstrap_ratio(np.array(logs[1:]), seed=0)  # the first round fills the page cache
    return Measurement(ratio, {"n": ROUNDS, "ci_low": low, "ci_high": high, "records": counts})
