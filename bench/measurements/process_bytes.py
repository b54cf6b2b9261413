"""Process memory (PSS) of a fresh process that has classified one character."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from bench.latency.isolated_process import MeasurementError
from bench.measurements._deployment import Deployment, deployed
from bench.measurements._row import Row
from bench.records.record import Measurement

NAME = "process_bytes"
UNIT = "byte"
VERSION = "1"
BETTER = "lower"
PHASE = "timing"  # shared pages count in part, so the number of processes that share them must be equal for all rows
COLUMN = None

_LIMIT_S = 180.0  # importing torch and loading a network takes seconds; a loaded machine may take far longer
_ROOT = Path(__file__).resolve().parents[2]


def measure(row: Row) -> Measurement:
    """Memory (PSS) of a fresh process that has classified one character: interpreter, libraries, network and scratch.

    Raises:
        MeasurementError: the process failed; its error as text.
        ValueError: too few validation characters.
    """
    with deployed(row, "eager") as deployment:
        return measure_in(deployment)


def measure_in(deployment: Deployment) -> Measurement:
    """The same in any runtime.

    The process imports only what the runtime needs, classifies one native-size character, and then reads its memory use
    from the kernel. Pages shared with other processes count in part (PSS); ``resident`` counts them in full, ``own``
    not at all.
    """
    with tempfile.TemporaryDirectory() as folder:
        character = Path(folder) / "character.npy"
        np.save(character, deployment.characters.image(0))
        used = _probe([deployment.runtime, str(deployment.file), str(character)])
    return Measurement(used["Pss"], {"resident": used["Rss"], "own": used["Private_Clean"] + used["Private_Dirty"]})


def _probe(arguments: list[str]) -> dict[str, int]:
    """Run ``bench.measurements._memory_probe`` in a new interpreter, and parse its output."""
    path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": path}
    command = [sys.executable, "-m", "bench.measurements._memory_probe", *arguments]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=_LIMIT_S)
    except subprocess.TimeoutExpired as error:
        raise MeasurementError(f"a fresh process gave no answer within {_LIMIT_S:g} s and was killed") from error
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines()
        raise MeasurementError(lines[-1] if lines else f"a fresh process ended with exit code {done.returncode}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if "error" in found:
        raise MeasurementError(found["error"])
    return found
