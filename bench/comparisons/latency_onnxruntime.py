"""An exported recogniser timed by this suite and by ONNX Runtime's own profiler, in turn."""

import importlib
import json
import statistics
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from bench.deployment import deployed
from bench.export import onnx_model
from bench.profiling import random_row
from bench.record import Measurement
from bench.row import Row
from bench.timing import run_apart, time_apart
from datamodules._characters import Characters
from datamodules._image import with_channels
from tasks.recogniser import load_recogniser

GOAL = "within 10 % of the profiler's median"
LIMIT = 1.10
VERSION = "1"
SYSTEM, CLASSES = "fire:gwap", 3755
REPEATS = 5
ROUNDS = 20  # of this suite's protocol
WARM, TIMED = 50, 200  # calls


def compare() -> Measurement:
    """Ratio of this suite's time of a call to that of ``model_run`` in ONNX Runtime's profile, or the inverse.

    The suite's holds what Python adds; the profiler's holds what writing the profile adds. Medians over the repeats.
    """
    with tempfile.TemporaryDirectory() as folder:
        row = random_row(SYSTEM, CLASSES, Path(folder) / "weights.safetensors")
        model = Path(folder) / "model.onnx"
        model.write_bytes(onnx_model(load_recogniser(row.architecture, row.classes, row.weights)))
        ours, theirs = _in_turn(row, model)
    ratio = statistics.median(ours) / statistics.median(theirs)
    return Measurement(max(ratio, 1 / ratio), {"n": REPEATS, "ns": ours, "profiler_ns": theirs})


def profiled_ns(model: Path, characters: Characters) -> dict[str, Any]:
    """Median nanoseconds of ``model_run`` over TIMED calls, one thread, after WARM others.

    Args:
        model: ONNX file from a native-size grey character to probabilities.
        characters: cycled through.
    """
    # This package has a file of that name, too.
    runtime = importlib.import_module("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_profiling = True
    options.profile_file_prefix = str(model.with_suffix(""))
    session = runtime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    for number in range(WARM + TIMED):
        session.run(None, {"image": with_channels(characters.image(number % len(characters)), 1)})
    events = json.loads(Path(session.end_profiling()).read_text())
    runs = [event["dur"] for event in events if event["name"] == "model_run"]  # microseconds
    return {"ns": statistics.median(runs[WARM:]) * 1000, "runs": len(runs)}


def _in_turn(row: Row, model: Path) -> tuple[list[float], list[float]]:
    ours, theirs = [], []
    with deployed(row, "onnxruntime") as deployment:
        for repeat in range(REPEATS):
            ours.append(time_apart(deployment.prepare, deployment.characters, ROUNDS, repeat)["value"])
            theirs.append(run_apart(partial(profiled_ns, model, deployment.characters))["ns"])
    return ours, theirs
