"""Augmented, anti-aliased 64×64 batches from one core, against the rate that feeds the smallest networks."""

import numpy as np

from bench.comparisons._pipeline import ROUNDS, one_thread, suite_pipeline
from bench.records.record import Measurement
from bench.records.statistics import bootstrap_ratio

GOAL = "at most 1: 12,000 images a second on one core"
LIMIT = 1.0
VERSION = "1"
WANTED = 12_000  # images a second; what an anti-aliased warp alone was measured to allow on an AMD EPYC core


def compare() -> Measurement:
    """Median over passes of the wanted images a second over those made, in one process on one core."""
    pipeline = suite_pipeline()
    with one_thread():
        pipeline.images_per_second()  # warms up
        rates = np.array([pipeline.images_per_second() for _ in range(ROUNDS)])
    ratio, low, high = bootstrap_ratio(np.log(WANTED / rates), seed=0)
    detail = {"n": ROUNDS, "ci_low": low, "ci_high": high, "images_per_second": float(np.median(rates))}
    return Measurement(ratio, detail)
