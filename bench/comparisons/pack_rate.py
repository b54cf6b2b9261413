"""Five million weights packed into centroids and unpacked again, against the second that each may take."""

import time

import numpy as np

from bench.comparisons._pipeline import one_thread
from bench.records.record import Measurement
from bench.records.statistics import bootstrap_ratio
from tasks.compression.codecs.centroid import Settings, decode, encode
from tasks.compression.container import from_bytes, to_bytes

GOAL = "at most 1: a second for each"
LIMIT = 1.0
VERSION = "1"
ALLOWED_S = 1.0
SHAPE = (5000, 1000)
CLUSTERS = 256  # the most: every weight takes a byte
ROUNDS = 9


def compare() -> Measurement:
    """The slower of packing and unpacking, median over rounds, over ALLOWED_S; processor time, without gzip.

    Packing clusters the weights and makes the file's bytes with their checksum; unpacking gives float32 weights.
    """
    weights = {"w.weight": np.random.default_rng(0).standard_normal(SHAPE).astype(np.float32)}
    seconds: dict[str, list[float]] = {"pack": [], "unpack": []}
    with one_thread():
        for _ in range(ROUNDS):
            started = time.process_time()
            content = to_bytes({}, encode(weights, Settings(clusters=CLUSTERS)))
            packed = time.process_time()
            (back,) = from_bytes(content, "w.packed")[1].values()
            decode(back)
            seconds["unpack"].append(time.process_time() - packed)
            seconds["pack"].append(packed - started)
    slower = max(seconds, key=lambda name: float(np.median(seconds[name])))
    ratio, low, high = bootstrap_ratio(np.log(np.array(seconds[slower]) / ALLOWED_S), seed=0)
    medians = {f"{name}_seconds": float(np.median(found)) for name, found in seconds.items()}
    return Measurement(ratio, {"n": ROUNDS, "ci_low": low, "ci_high": high, **medians})
