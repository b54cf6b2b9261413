"""Multiply-adds of one character through the network."""

import torch

from bench.measurements._mac_counter import count
from bench.measurements._row import Row
from bench.records.record import Measurement
from tasks.early_exits.cascade import LongPath, cascade_of

NAME = "macs"
UNIT = "mac"
VERSION = "1"
BETTER = "lower"
PHASE = "figures"
COLUMN = ("MACs (M), 1 MAC = 2 FLOPs", "millions", "MACs (M)", "millions")

_PAPER = 255  # a blank character: where the cost depends on what is read, the network declares it


def measure(row: Row) -> Measurement:
    """Multiply-adds of one forward pass at batch 1; no value where an operator's cost is not known.

    Convolutions, fully connected layers and products of matrices count. Biases do not; normalisation,
    activations and pooling stand as output values in ``elementwise``. ``incomplete`` names what could not
    be counted. Of a network with early exits this is the longest path, with all heads asked on it.
    """
    recogniser = row.recogniser
    blank = torch.full((1, recogniser.channels, recogniser.size, recogniser.size), _PAPER, dtype=torch.uint8)
    network = recogniser.network
    counted = count(network if cascade_of(network) is None else LongPath(network).eval(), blank)
    detail = {"incomplete": list(counted.incomplete), "elementwise": counted.elementwise}
    return Measurement(None if counted.incomplete else counted.macs, detail)
