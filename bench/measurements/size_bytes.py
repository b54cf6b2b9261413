"""Size of the stored network."""

from safetensors.torch import load_file, save

from bench.record import Measurement
from bench.row import Row

NAME = "size_bytes"
UNIT = "byte"
VERSION = "1"
BETTER = "lower"
PHASE = "figures"


def measure(row: Row) -> Measurement:
    """Length of the safetensors file: weights, buffers and its header, without the labels named there."""
    return Measurement(len(save(load_file(row.weights))))
