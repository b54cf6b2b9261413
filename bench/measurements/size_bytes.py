"""File size of the stored network."""

import json
from functools import partial
from pathlib import Path

from safetensors.torch import load_file, save

from bench.deploy.load import IN_FP32, open_exported
from bench.latency.isolated_process import run_apart
from bench.measurements._deployment import Deployment
from bench.measurements._row import Row
from bench.records.record import Measurement
from tasks.compression.packing import is_packed

NAME = "size_bytes"
UNIT = "byte"
VERSION = "1"
BETTER = "lower"
PHASE = "figures"
EXPORTED = True  # in runtimes, of those with an exported file alone
COLUMN = ("Size (MB = 10⁶ bytes)", "millions", "Size (MB)", "millions")


def measure(row: Row) -> Measurement:
    """Length of the network's file including its header, but without the labels in the header of safetensors files.

    For a compressed system, this is the size of the packed file.
    """
    if is_packed(row.weights):
        return Measurement(row.weights.stat().st_size)
    return Measurement(len(save(load_file(row.weights))))


def measure_in(deployment: Deployment) -> Measurement:
    """Length of the exported file: graph, labels and provenance; ``int8_in_fp32``: how many convolutions of each stage
    stay in fp32.

    Raises:
        MeasurementError: the export failed, or the runtime is missing; its error as text.
    """
    in_fp32 = run_apart(partial(_layers_in_fp32, deployment.file), exclusive=False)
    return Measurement(deployment.file.stat().st_size, in_fp32)


def _layers_in_fp32(file: Path) -> dict[str, list[int]]:
    """Runs in a measuring process, which may load any runtime."""
    about = open_exported(file).about
    return {IN_FP32: json.loads(about[IN_FP32])} if IN_FP32 in about else {}
