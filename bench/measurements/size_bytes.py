"""File size of the stored network."""

from safetensors.torch import load_file, save

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
    """Length of the exported file: graph, labels and provenance.

    Raises:
        MeasurementError: the export failed, or the runtime is missing; its error as text.
    """
    return Measurement(deployment.file.stat().st_size)
