"""Repeatability of latency: the spread of a system's ratio to the reference between runs in different hours."""

import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.measurements import latency
from bench.measurements._deployment import EAGER
from bench.plugins import version_in_runtime
from bench.records.predictions import RUNS
from bench.records.provenance import machine, versions
from bench.records.record import Measurement
from bench.run.profile import measured_in, random_row
from datamodules._files import write_whole

GOAL = "nine of ten ratios within 3 % of their mean over the runs"
LIMIT = 1.03
VERSION = "4"
SYSTEMS = ("nearest_mean", "lenet5", "squeezenet", "mobilenet_v2", "shui_cnn", "fire:gwap", "resnet:18")
RUNTIMES = (EAGER, "onnxruntime")
CLASSES = 30
LEAST = 2  # runs
SHARE = 90  # per cent of the ratios that the goal is about

EXPORTED, NOISY = "exported", "noisy"  # kinds of latencies, beside EAGER

Run = dict[str, Any]  # ``at``, ``settings``, ``ratios`` by ``system in runtime``, and which of them are ``noisy``


def compare() -> Measurement:
    """How far nine of ten ratios lie from their mean over the runs at most, as a factor; random weights.

    Each call measures every system once more, in fresh processes, and counts all earlier runs on this machine with the
    same protocol and packages; they are kept below ``runs/latency_repeat``. Call it in several hours, with ``--fresh``:
    the load of a shared host changes slowly. ``between_runs`` is the standard deviation of the logarithm of a ratio
    between runs, in eager mode and in runtimes with an exported file, each pooled over the systems with ``freedom``
    degrees of freedom, and that of noisy latencies, of any runtime, from the mean of the others. Boards widen the
    intervals of this machine's latencies by it.
    """
    path = RUNS / "latency_repeat" / f"{machine()['name']}.json"
    runs = _read(path)
    while True:
        runs.append(_measured())
        write_whole(path, json.dumps(runs, indent=1).encode())
        if len(_same(runs)) >= LEAST:
            return repeatability(_same(runs))


def repeatability(runs: Sequence[Run]) -> Measurement:
    """The figures of ``compare`` from the runs."""
    ratios = {name: np.log([run["ratios"][name] for run in runs]) for name in runs[-1]["ratios"]}
    calm = {name: np.array([name not in run["noisy"] for run in runs]) for name in ratios}
    away = {kind: list[float]() for kind in (EAGER, EXPORTED, NOISY)}  # distances from the mean, in logarithms
    freedom = dict.fromkeys(away, 0)
    for name, logs in ratios.items():
        kind, known = EAGER if name.endswith(f" in {EAGER}") else EXPORTED, calm[name]
        mean = logs[known].mean() if known.any() else logs.mean()
        away[kind] += list(logs[known] - mean)
        freedom[kind] += max(0, int(known.sum()) - 1)
        away[NOISY] += list(logs[~known] - mean)
        freedom[NOISY] += int((~known).sum()) - (0 if known.any() else 1)
    between = {
        kind: float(np.sqrt(np.square(one).sum() / freedom[kind])) for kind, one in away.items() if freedom[kind]
    }
    every = np.abs(np.concatenate([logs - logs.mean() for logs in ratios.values()]))
    detail = {
        "n": len(runs), "hours": round((runs[-1]["at"] - runs[0]["at"]) / 3600, 2), "between_runs": between,
        "freedom": freedom, "latency_version": latency.VERSION,
        "spread": {name: float(np.exp(logs.std(ddof=1))) for name, logs in ratios.items()},
        "noisy": 1 - float(np.mean(list(calm.values()))),
    }  # fmt: skip
    return Measurement(float(np.exp(np.percentile(every, SHARE))), detail)


def _measured() -> Run:
    ratios, noisy = {}, []
    with tempfile.TemporaryDirectory() as folder:
        for name in SYSTEMS:
            row = random_row(name, CLASSES, Path(folder) / f"{name.replace(':', '-')}.safetensors")
            for runtime in RUNTIMES:
                (figure,) = measured_in(row, runtime, (latency.NAME,)).values()
                if figure["value"] is None:
                    raise RuntimeError(f"{name} in {runtime}: {figure['error']}")
                ratios[f"{name} in {runtime}"] = figure["ratio_to_reference"]
                if figure["noisy"]:
                    noisy.append(f"{name} in {runtime}")
    return {"at": time.time(), "settings": _settings(), "ratios": ratios, "noisy": noisy}


def _settings() -> Mapping[str, str]:
    """What else changes a ratio: the protocol, and the versions of the packages."""
    return {"latency": version_in_runtime(latency.VERSION, EAGER), "comparison": VERSION, **versions()}


def _same(runs: Sequence[Run]) -> list[Run]:
    return [run for run in runs if run["settings"] == _settings()]


def _read(path: Path) -> list[Run]:
    """The earlier runs; none if there is no readable file."""
    try:
        runs: list[Run] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return runs
