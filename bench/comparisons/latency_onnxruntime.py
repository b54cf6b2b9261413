"""Latency of an exported recogniser by this suite's clock and by ONNX Runtime's profiler."""

import importlib
import json
import statistics
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

from bench.comparisons._exported_file import write_export
from bench.latency.isolated_process import run_apart, time_apart
from bench.measurements._deployment import deployed
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
    """A call's wall-clock time over its ``model_run`` in ONNX Runtime's profile; median over the repeats.

    ``suite_ns`` is this suite's latency without the profiler, which takes time to write an event per operator.
    """
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as folder:
        row = random_row(SYSTEM, CLASSES, Path(folder) / "weights.safetensors")
        model = write_export(SYSTEM, CLASSES, row.weights)
        with deployed(row, "onnxruntime") as deployment:
            for repeat in range(REPEATS):
                ours.append(time_apart(deployment.prepare, deployment.characters, ROUNDS, repeat)["value"])
                theirs.append(run_apart(partial(profiled_ns, model, deployment.characters)))
    ratio = statistics.median(profile["wall_ns"] / profile["ns"] for profile in theirs)
    profiler = [profile["ns"] for profile in theirs]
    return Measurement(max(ratio, 1 / ratio), {"n": REPEATS, "suite_ns": ours, "profiler_ns": profiler})


def profiled_ns(model: Path, characters: Characters) -> dict[str, Any]:
    """Median nanoseconds of ``model_run``, and by the wall clock, over TIMED calls on one thread after WARM calls.

    ``model`` is an ONNX file of ``bench export`` for grey input.
    """
    runtime = importlib.import_module("onnxruntime")  # not bench.runtimes.onnxruntime
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
