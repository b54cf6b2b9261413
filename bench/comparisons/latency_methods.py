"""Latency of a recogniser by this suite, by timm's method and by torch.utils.benchmark, alternately.

Up to VERSION 3 of ``latency``, which timed the first call after the reference had run, the suite's times were up to
15 % longer than those of torch.utils.benchmark. Steps from that method to the suite's of that time, in CPU time on a
busy Intel Xeon with 2 cores, for squeezenet, mobilenet_v2 and resnet:18:

- a clock for each call instead of one for a block: 1.00, 0.99, 0.99; 256 characters instead of one: no difference;
- garbage collection: 1.03, 1.03, 1.02 if it is on, but both methods turn it off;
- blocks of 5 ms between those of the reference instead of calls back to back: 1.09, 1.07, 1.13;
- also a fresh copy for every three rounds: 1.11, 1.10, 1.15, whether or not earlier copies are freed.

So nearly all of it is the cost of a pause: cold caches, and other state of the processor, which these steps do not
tell apart. The first call after 10 ms of the reference took 1.27 times as long for squeezenet, the second 1.18 times;
after 10 ms of an empty loop or of sleep 1.24 and 1.07 times, and from the fifth call on as long as before. A program
that classifies a character now and then pays for this too; one that classifies without a pause does not. The comparison
therefore states two figures: calls back to back by both methods, and what blocks still cost without their first call.
"""

import gc
import math
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from bench.latency.isolated_process import run_apart, time_apart
from bench.latency.paired_blocks import Side, warm_up
from bench.latency.reference_network import reference, reference_input
from bench.measurements._deployment import EAGER, deployed
from bench.records.record import Measurement
from bench.run.profile import random_row
from bench.runtimes._base import Loader
from datamodules._characters import Characters

GOAL = "calls back to back within 5 % of the median by torch.utils.benchmark; cold caches apart"
LIMIT = 1.05
VERSION = "2"
SYSTEMS = ("squeezenet", "mobilenet_v2", "resnet:18")
CLASSES = 1000
REPEATS = 5
ROUNDS = 20  # of this suite's protocol
WARM, TIMED = 10, 40  # timm's benchmark.py: defaults of --num-warm-iter and --num-bench-iter
LEAST_S = 1.0  # of torch.utils.benchmark, whose default of 0.2 s is too short on a busy machine
PIECES, PIECE_S = 20, 0.05  # of each method in turn, in one process: short, so that the machine's load is the same


def compare() -> Measurement:
    """The largest ratio, over systems, of this suite's median of calls back to back to that of torch.utils.benchmark,
    or its inverse: ``same_calls``, of one copy in one process.

    ``cold_caches`` is the suite's median in blocks between those of the reference over that back to back.

    ``ns`` are the times by each whole method, in fresh processes: a native-size character to probabilities, one thread,
    batch 1. All are medians over the repeats; ``spread`` is the slowest repeat over the fastest, a measure of
    sensitivity to noise. ``suite_ratio`` is the spread of the suite's ratios to the reference, by which it ranks.
    """
    with tempfile.TemporaryDirectory() as folder:
        systems = {name: _methods(name, Path(folder) / name.replace(":", "-")) for name in SYSTEMS}
    ratios = [system["same_calls"] for system in systems.values()]
    return Measurement(max(max(ratio, 1 / ratio) for ratio in ratios), {"n": len(systems), "systems": systems})


def timm_ns(call: Callable[[Any], Any], images: "cycle[Any]") -> float:
    """Mean nanoseconds of a call by timm's method: WARM calls to warm up, then TIMED calls."""
    for _ in range(WARM):
        call(next(images))
    started = time.perf_counter_ns()
    for _ in range(TIMED):
        call(next(images))
    return (time.perf_counter_ns() - started) / TIMED


def torch_ns(
    call: Callable[[Any], Any],
    images: "cycle[Any]",
    least_s: float = LEAST_S,
    clock: Callable[[], float] = time.perf_counter,
) -> float:
    """Median nanoseconds of a call by ``torch.utils.benchmark.Timer.blocked_autorange``, one thread."""
    from torch.utils.benchmark import Timer

    timer = Timer("call(next(images))", timer=clock, globals={"call": call, "images": images}, num_threads=1)
    return float(timer.blocked_autorange(min_run_time=least_s).median * 1e9)


def ratios_in_one_process(prepare: Callable[[], Loader], characters: Characters) -> dict[str, Any]:
    """``same_calls`` and ``cold_caches`` of one copy, medians over PIECES; runs in the measuring process.

    Both methods use the clock of CPU time here, because other load delays the calls of each by chance.
    """
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    gc.disable()  # as torch's timer does
    images, call = cycle([characters.image(index) for index in range(len(characters))]), prepare()()
    ours, *references = Side(call, images), *(Side(reference(), [reference_input()]) for _ in range(2))
    warm_up(ours, *references)
    same, cold = [], []
    for _ in range(PIECES):
        before = torch_ns(call, images, PIECE_S, time.process_time)
        calls = math.ceil(PIECE_S * 1e9 / before)
        warm = statistics.median(ours.run(calls)[1])
        same.append(warm / statistics.fmean([before, torch_ns(call, images, PIECE_S, time.process_time)]))
        blocks: list[int] = []
        while len(blocks) < calls:
            for side in references:
                side.run(side.block)
            blocks += ours.timed_block()[1]
        after = statistics.median(ours.run(calls)[1])
        cold.append(statistics.median(blocks) / statistics.fmean([warm, after]))
    return {"same_calls": statistics.median(same), "cold_caches": statistics.median(cold)}


def _methods(name: str, weights: Path) -> dict[str, Any]:
    ns: dict[str, list[float]] = {"suite": [], "timm": [], "torch": []}
    ratios, paired = [], []
    with deployed(random_row(name, CLASSES, weights), EAGER) as deployment:
        for repeat in range(REPEATS):
            ours = time_apart(deployment.prepare, deployment.characters, ROUNDS, repeat)
            ns["suite"].append(ours["value"])
            ratios.append(ours["ratio_to_reference"])
            for method in ("timm", "torch"):
                task = partial(_time_by, method, deployment.prepare, deployment.characters)
                ns[method].append(run_apart(task)["ns"])
            paired.append(run_apart(partial(ratios_in_one_process, deployment.prepare, deployment.characters)))
    spread = {method: max(times) / min(times) for method, times in ns.items()}
    return {
        **{name: statistics.median(one[name] for one in paired) for name in ("same_calls", "cold_caches")},
        "ns": {method: statistics.median(times) for method, times in ns.items()},
        "spread": {**spread, "suite_ratio": float(np.max(ratios) / np.min(ratios))},
    }


def _time_by(method: str, prepare: Callable[[], Loader], characters: Characters) -> dict[str, Any]:
    """Runs in the measuring process."""
    torch.set_num_threads(1)
    images = cycle([characters.image(index) for index in range(len(characters))])
    return {"ns": (timm_ns if method == "timm" else torch_ns)(prepare()(), images)}
