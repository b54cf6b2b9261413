"""Latency with all threads that the process may use."""

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

# Seconds; short, because no rank depends on it. Each makes at least one call: threads that wait for each other on busy
# cores were measured to take a thousand times as long.
WARM_S, TIMED_S = 0.1, 0.3


def time_all_threads(load: Loader, characters: Characters) -> dict[str, Any]:
    """Time the classifier that ``load`` makes, one native-size character at a time, on all threads, in wall-clock time.

    There is no ratio to a reference, because the benefit of more threads depends on the other load of the cores.

    Returns: ``all_threads``, their number; ``all_threads_ns``, the median (the mean if the cost depends on the
        character) of ``all_threads_n`` calls.
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
