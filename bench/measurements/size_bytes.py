"""Size of the stored network."""

from safetensors.torch import load_file, save

from bench.measurements._row import Row
from bench.records.record import Measurement
from tasks.compression.packing import is_packed

NAME = "size_bytes"
UNIT = "byte"
VERSION = "1"
BETTER = "lower"
PHASE = "figures"
COLUMN = ("Size (MB = 10⁶ bytes)", "millions", "Size (MB)", "millions")


def measure(row: Row) -> Measurement:
    """Length of the file that holds the network, its header included, without the labels that safetensors name there.

    A system stored in fewer bits is the packed file as it lies on disk.
    """
    if is_packed(row.weights):
        return Measurement(row.weights.stat().st_size)
    return Measurement(len(save(load_file(row.weights))))
