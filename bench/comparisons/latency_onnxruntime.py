"""An exported recogniser timed by this suite and by ONNX Runtime's own profiler, in turn."""

import importlib
import json
import statistics
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

from bench.comparisons._recognised import write_home
from bench.latency.isolated_process import run_apart, time_apart
from bench.measurements._deployment import deployed
from bench.measurements._row import Row
from bench.records.record import Measurement
from bench.run.profile import random_row
from datamodules._characters import Characters

GOAL = "a call by our clock within 10 % of the profiler's, the same calls"
LIMIT = 1.10
VERSION = "3"
SYSTEM, CLASSES = "fire:gwap", 3755
REPEATS = 5
ROUNDS = 20  # of this suite's protocol
WARM, TIMED = 50, 200  # calls


def compare() -> Measurement:
    """Ratio of a call's wall clock to the time of its ``model_run`` in ONNX Runtime's profile, median of the repeats.

    Beside it ``suite_ns``, what this suite finds without the profiler: writing an event for each operator takes time.
    """
    with tempfile.TemporaryDirectory() as folder:
        row = random_row(SYSTEM, CLASSES, Path(folder) / "weights.safetensors")
        ours, theirs = _in_turn(row, write_home(SYSTEM, CLASSES, row.weights))
    ratio = statistics.median(one["wall_ns"] / one["ns"] for one in theirs)
    profiler = [one["ns"] for one in theirs]
    return Measurement(max(ratio, 1 / ratio), {"n": REPEATS, "suite_ns": ours, "profiler_ns": profiler})


def profiled_ns(model: Path, characters: Characters) -> dict[str, Any]:
    """Median nanoseconds of ``model_run``, and by the wall clock, over TIMED calls, one thread, after WARM others.

    Args:
        model: a file of ``bench export``, ONNX, of a network that takes grey characters.
        characters: cycled through.
    """
    # This package has a file of that name, too.
    runtime = importlib.import_module("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_profiling = True
    options.profile_file_prefix = str(model.with_suffix(""))
    session = runtime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    wall = []
    for number in range(WARM + TIMED):
        image = characters.image(number % len(characters))[None]
        started = time.perf_counter_ns()
        session.run(None, {"image": image})
        wall.append(time.perf_counter_ns() - started)
    events = json.loads(Path(session.end_profiling()).read_text())
    runs = [event["dur"] for event in events if event["name"] == "model_run"]  # microseconds
    return {
        "ns": statistics.median(runs[WARM:]) * 1000, "wall_ns": statistics.median(wall[WARM:]), "runs": len(runs),
    }  # fmt: skip


def _in_turn(row: Row, model: Path) -> tuple[list[float], list[dict[str, Any]]]:
    ours, theirs = [], []
    with deployed(row, "onnxruntime") as deployment:
        for repeat in range(REPEATS):
            ours.append(time_apart(deployment.prepare, deployment.characters, ROUNDS, repeat)["value"])
            theirs.append(run_apart(partial(profiled_ns, model, deployment.characters)))
    return ours, theirs
