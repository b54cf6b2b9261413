"""Peak memory of preparing a cache: must not grow with a hundred times the records."""

import tempfile
from pathlib import Path

from bench.comparisons._large_gnt import write_repeated
from bench.comparisons._prepare_process import prepare_alone
from bench.records.record import Measurement

GOAL = "at most 1: within 50 MB"
LIMIT = 1.0
VERSION = "1"
ALLOWED_BYTES = 50e6
FEW, MANY = 10_000, 1_000_000  # records
SIDE = 16  # pixels; a million records of native size would take 4 GB


def compare() -> Measurement:
    """The difference of the peaks of two processes, over ALLOWED_BYTES."""
    peaks = {}
    with tempfile.TemporaryDirectory() as folder:
        for wanted in (FEW, MANY):
            root = Path(folder) / f"data{wanted}"
            records = write_repeated(root, wanted, SIDE)
            peaks[records] = prepare_alone(root, Path(folder) / f"cache{wanted}")
    few, many = peaks.values()
    return Measurement(abs(many - few) / ALLOWED_BYTES, {"n": 2, "peak_bytes": peaks})
