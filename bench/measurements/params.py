"""Parameters of the network."""

from bench.measurements._row import Row
from bench.records.record import Measurement

NAME = "params"
UNIT = "count"
VERSION = "1"
BETTER = "lower"
PHASE = "figures"
COLUMN = ("Trained params (M)", "millions", "Params (M)", "millions")


def measure(row: Row) -> Measurement:
    """Number of values that training determines, by gradients or in one pass; shared values count once.

    ``trainable`` counts those that gradients change, ``total`` includes the buffers.
    """
    parameters = list(row.recogniser.network.parameters())
    count = sum(p.numel() for p in parameters)
    buffers = sum(b.numel() for b in row.recogniser.network.buffers())
    trainable = sum(p.numel() for p in parameters if p.requires_grad)
    return Measurement(count, {"trainable": trainable, "total": count + buffers})
