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
    """Numbers that training finds, by gradients or in one pass; shared ones once.

    ``trainable`` is the part that gradients may change, ``total`` has the buffers too.
    """
    parameters = list(row.recogniser.network.parameters())
    found = sum(p.numel() for p in parameters)
    buffers = sum(b.numel() for b in row.recogniser.network.buffers())
    trainable = sum(p.numel() for p in parameters if p.requires_grad)
    return Measurement(found, {"trainable": trainable, "total": found + buffers})
