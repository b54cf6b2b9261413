"""The same calls with every thread that the process may use."""

import random
import statistics
import time
from typing import Any

import cv2
import torch

from bench.latency.paired_blocks import Side
from bench.records.provenance import cores
from bench.runtimes._base import Loader, with_threads
from datamodules._characters import Characters

# Kept short, since no rank depends on it. At least one call each: threads that wait for each other on cores that others
# hold were measured to take a thousand times as long.
WARM_S, TIMED_S = 0.1, 0.3


def time_all_threads(load: Loader, characters: Characters) -> dict[str, Any]:
    """Time a classifier character by character with as many threads as the process may use, beside nothing.

    The times are of the wall clock, and no ratio to a reference steadies them: how much a second thread helps depends
    on who else uses the cores.

    Args:
        load: makes the classifier.
        characters: native-size inputs, cycled through in an order drawn once.

    Returns: ``all_threads``, how many; ``all_threads_ns``, the median, or mean where characters differ in cost, of
        ``all_threads_n`` calls.
    """
    count = cores()
    torch.set_num_threads(count)
    cv2.setNumThreads(count)
    with with_threads(count):
        classifier = load()
    images = [characters.image(i) for i in range(len(characters))]
    side = Side(classifier, random.Random(0).sample(images, len(images)))
    _run(side, WARM_S)
    wall = _run(side, TIMED_S)
    value = statistics.fmean(wall) if side.data_dependent_cost else statistics.median(wall)
    return {"all_threads": count, "all_threads_ns": value, "all_threads_n": len(wall)}


def _run(side: Side, seconds: float) -> list[int]:
    wall: list[int] = []
    end = time.monotonic() + seconds
    while not wall or time.monotonic() < end:
        wall += side.run(1)[0]
    return wall
