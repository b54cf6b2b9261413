"""Rate of augmented, anti-aliased 64×64 batches on one core, against the need of the smallest networks."""

import numpy as np

from bench.comparisons._paired import median_ratio
from bench.comparisons._pipeline import ROUNDS, one_thread, suite_pipeline
from bench.records.record import Measurement

GOAL = "at most 1: 12,000 images a second on one core"
LIMIT = 1.0
VERSION = "1"
WANTED = 12_000  # images per second; measured for the anti-aliased warp alone on an AMD EPYC core


def compare() -> Measurement:
    """The wanted images per second over the measured ones, in one process on one core; median over passes."""
    pipeline = suite_pipeline()
    with one_thread():
        pipeline.images_per_second()  # warms up
        rates = np.array([pipeline.images_per_second() for _ in range(ROUNDS)])
    return median_ratio(WANTED / rates, images_per_second=float(np.median(rates)))
