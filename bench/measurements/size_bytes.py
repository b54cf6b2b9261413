"""Size of the stored network."""

from bench.record import Measurement
from bench.row import Row

NAME = "size_bytes"
UNIT = "byte"
VERSION = "1"
BETTER = "lower"
PHASE = "figures"


def measure(row: Row) -> Measurement:
    """Length of the safetensors file: weights, buffers and its header."""
    return Measurement(row.weights.stat().st_size)
