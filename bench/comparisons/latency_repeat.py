"""Repeatability of latency: the same system timed twice."""

import tempfile
from pathlib import Path

import numpy as np

from bench.measurements import latency
from bench.records.record import Measurement
from bench.run.profile import random_row

GOAL = "two runs within 3 % of each other"
LIMIT = 1.03
VERSION = "3"
SYSTEMS = ("lenet5", "squeezenet", "mobilenet_v2", "shui_cnn", "fire:gwap", "resnet:18")
CLASSES = 100


def compare() -> Measurement:
    """The largest ratio, over systems, of the slower to the faster of two measurements; random weights."""
    ratios = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in SYSTEMS:
            row = random_row(name, CLASSES, Path(folder) / f"{name.replace(':', '-')}.safetensors")
            first, second = (latency.measure(row).detail["ratio_to_reference"] for _ in range(2))
            ratios[name] = float(np.exp(abs(np.log(second / first))))
    return Measurement(max(ratios.values()), {"n": len(ratios), "systems": ratios})
