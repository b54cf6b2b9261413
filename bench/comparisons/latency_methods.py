"""Latency of a recogniser by this suite, by timm's method and by torch.utils.benchmark, alternately."""

import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.latency.isolated_process import run_apart, time_apart
from bench.measurements._deployment import EAGER, deployed
from bench.records.record import Measurement
from bench.run.profile import random_row
from bench.runtimes._base import Loader
from datamodules._characters import Characters

GOAL = "within 10 % of the median by torch.utils.benchmark"
LIMIT = 1.10
VERSION = "1"
SYSTEMS = ("squeezenet", "mobilenet_v2", "resnet:18")
CLASSES = 1000
REPEATS = 5
ROUNDS = 20  # of this suite's protocol
WARM, TIMED = 10, 40  # timm's benchmark.py: defaults of --num-warm-iter and --num-bench-iter
LEAST_S = 1.0  # of torch.utils.benchmark, whose default of 0.2 s is too short on a busy machine


def compare() -> Measurement:
    """The largest ratio, over systems, of this suite's time to that of torch.utils.benchmark, or its inverse.

    All three time the same call: a native-size character to probabilities, one thread, batch 1, in fresh processes.
    Times are medians over the repeats; ``spread`` is the slowest repeat over the fastest, a measure of sensitivity to
    noise. ``suite_ratio`` is the spread of the suite's ratios to the reference, by which it ranks.
    """
    with tempfile.TemporaryDirectory() as folder:
        systems = {name: _methods(name, Path(folder) / name.replace(":", "-")) for name in SYSTEMS}
    ratios = [system["ns"]["suite"] / system["ns"]["torch"] for system in systems.values()]
    return Measurement(max(max(ratio, 1 / ratio) for ratio in ratios), {"n": len(systems), "systems": systems})


def timm_ns(call: Callable[[Any], Any], images: "cycle[Any]") -> float:
    """Mean nanoseconds of a call by timm's method: WARM calls to warm up, then TIMED calls."""
    for _ in range(WARM):
        call(next(images))
    started = time.perf_counter_ns()
    for _ in range(TIMED):
        call(next(images))
    return (time.perf_counter_ns() - started) / TIMED


def torch_ns(call: Callable[[Any], Any], images: "cycle[Any]", least_s: float = LEAST_S) -> float:
    """Median nanoseconds of a call by ``torch.utils.benchmark.Timer.blocked_autorange``, one thread."""
    from torch.utils.benchmark import Timer

    timer = Timer("call(next(images))", globals={"call": call, "images": images}, num_threads=1)
    return float(timer.blocked_autorange(min_run_time=least_s).median * 1e9)


def _methods(name: str, weights: Path) -> dict[str, Any]:
    ns: dict[str, list[float]] = {"suite": [], "timm": [], "torch": []}
    ratios = []
    with deployed(random_row(name, CLASSES, weights), EAGER) as deployment:
        for repeat in range(REPEATS):
            ours = time_apart(deployment.prepare, deployment.characters, ROUNDS, repeat)
            ns["suite"].append(ours["value"])
            ratios.append(ours["ratio_to_reference"])
            for method in ("timm", "torch"):
                task = partial(_time_by, method, deployment.prepare, deployment.characters)
                ns[method].append(run_apart(task)["ns"])
    spread = {method: max(times) / min(times) for method, times in ns.items()}
    return {
        "ns": {method: statistics.median(times) for method, times in ns.items()},
        "spread": {**spread, "suite_ratio": float(np.max(ratios) / np.min(ratios))},
    }


def _time_by(method: str, prepare: Callable[[], Loader], characters: Characters) -> dict[str, Any]:
    """Runs in the measuring process."""
    torch.set_num_threads(1)
    images = cycle([characters.image(index) for index in range(len(characters))])
    return {"ns": (timm_ns if method == "timm" else torch_ns)(prepare()(), images)}
