"""A recogniser timed by this suite, by timm's method and by PyTorch's own timer, in turn."""

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
LEAST_S = 1.0  # of torch.utils.benchmark; its own least is 0.2 s, which a busy machine fills with chance


def compare() -> Measurement:
    """Largest of the systems' ratios of this suite's time to that of torch.utils.benchmark, or the inverse.

    All three time the same call: a native-size character to probabilities, one thread, batch 1, in fresh processes.
    Times are medians over the repeats; ``spread`` is the slowest repeat over the fastest, which shows what a method
    makes of a machine that is not still. This suite's own is that of its ratios to the reference, by which it ranks.
    """
    with tempfile.TemporaryDirectory() as folder:
        systems = {name: _methods(name, Path(folder) / name.replace(":", "-")) for name in SYSTEMS}
    apart = [one["ns"]["suite"] / one["ns"]["torch"] for one in systems.values()]
    return Measurement(max(max(ratio, 1 / ratio) for ratio in apart), {"n": len(systems), "systems": systems})


def timm_ns(call: Callable[[Any], Any], images: "cycle[Any]") -> float:
    """Mean nanoseconds of a call, as timm's benchmark takes it: a few calls to warm up, then a fixed number."""
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
                found = run_apart(partial(_other, method, deployment.prepare, deployment.characters))
                ns[method].append(found["ns"])
    spread = {method: max(times) / min(times) for method, times in ns.items()}
    return {
        "ns": {method: statistics.median(times) for method, times in ns.items()},
        "spread": {**spread, "suite_ratio": float(np.max(ratios) / np.min(ratios))},
    }


def _other(method: str, prepare: Callable[[], Loader], characters: Characters) -> dict[str, Any]:
    """What the measuring process does."""
    torch.set_num_threads(1)
    images = cycle([characters.image(index) for index in range(len(characters))])
    return {"ns": (timm_ns if method == "timm" else torch_ns)(prepare()(), images)}
