"""Latency with all threads that the process may use."""

import random
import statistics
import time
from typing import Any

import cv2
import torch

from bench.latency.aggregate import WAIT_TOLERANCE
from bench.latency.noise import cpu_ticks, used_by_others
from bench.latency.paired_blocks import Side
from bench.records.provenance import cores
from bench.records.rows import ALL_THREADS_CALLS
from bench.runtimes._base import Loader, with_threads
from datamodules._characters import Characters

# Seconds; short, because no rank depends on it. Each makes at least one call. The timed part is long enough for the
# kernel's ticks of 10 ms to tell whether others use the cores.
WARM_S, TIMED_S = 0.1, 1.0
# Threads that wait for each other on busy cores were measured to take a thousand times as long: there is then no value.
CAP_S = 4.0


def time_all_threads(load: Loader, characters: Characters) -> dict[str, Any]:
    """Time the classifier that ``load`` makes, one native-size character at a time, on all threads, in wall-clock time.

    There is no ratio to a reference, because the benefit of more threads depends on the other load of the cores.

    Returns: ``all_threads``, their number; ``all_threads_ns``, the median (the mean if the cost depends on the
        character) of ``all_threads_n`` calls, or None with ``all_threads_why`` if the cap ended them before
        ALL_THREADS_CALLS; ``all_threads_others``, the share of the machine's CPU time that others used meanwhile, None
        if the system does not report it; ``all_threads_noisy``, whether that is above WAIT_TOLERANCE.
    """
    count = cores()
    torch.set_num_threads(count)
    cv2.setNumThreads(count)
    with with_threads(count):
        classifier = load()
    images = [characters.image(i) for i in range(len(characters))]
    side = Side(classifier, random.Random(0).sample(images, len(images)))
    _run(side, WARM_S)
    ticks, own = cpu_ticks(), time.process_time()
    wall = _run(side, TIMED_S, ALL_THREADS_CALLS)
    others = used_by_others(ticks, time.process_time() - own)
    found = {
        "all_threads": count, "all_threads_ns": None, "all_threads_n": len(wall), "all_threads_others": others,
        "all_threads_noisy": others is not None and others > WAIT_TOLERANCE,
    }  # fmt: skip
    if len(wall) < ALL_THREADS_CALLS:
        why = f"calls timed in {CAP_S:g} s: {len(wall)}, wanted {ALL_THREADS_CALLS}"
        return {**found, "all_threads_why": why}
    value = statistics.fmean(wall) if side.data_dependent_cost else statistics.median(wall)
    return {**found, "all_threads_ns": value}


def _run(side: Side, seconds: float, least: int = 1) -> list[int]:
    """Wall nanoseconds of each call: at least ``least`` within CAP_S, at least one."""
    wall: list[int] = []
    start = time.monotonic()
    while not wall or (passed := time.monotonic() - start) < seconds or (len(wall) < least and passed < CAP_S):
        wall += side.run(1)[0]
    return wall
