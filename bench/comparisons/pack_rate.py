"""Time to pack five million weights into centroids and to unpack them, against one second each."""

import time

import numpy as np

from bench.comparisons._paired import median_ratio
from bench.comparisons._pipeline import one_thread
from bench.records.record import Measurement
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
    """The slower of packing and unpacking, over ALLOWED_S; median over rounds, CPU time, without gzip.

    Packing clusters the weights and builds the file's bytes with their checksum; unpacking restores float32 weights.
    """
    weights = {"w.weight": np.random.default_rng(0).standard_normal(SHAPE).astype(np.float32)}
    seconds: dict[str, list[float]] = {"pack": [], "unpack": []}
    with one_thread():
        for _ in range(ROUNDS):
            started = time.process_time()
            content = to_bytes({}, encode(weights, Settings(clusters=CLUSTERS)))
            packed = time.process_time()
            (encoded,) = from_bytes(content, "w.packed")[1].values()
            decode(encoded)
            seconds["unpack"].append(time.process_time() - packed)
            seconds["pack"].append(packed - started)
    slower = max(seconds, key=lambda name: float(np.median(seconds[name])))
    medians = {f"{name}_seconds": float(np.median(measured)) for name, measured in seconds.items()}
    return median_ratio(np.array(seconds[slower]) / ALLOWED_S, **medians)
