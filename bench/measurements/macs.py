"""Multiply-adds (MACs) of the network for one character."""

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

_PAPER = 255  # a blank character; a network whose cost depends on the image declares it


def measure(row: Row) -> Measurement:
    """Multiply-adds of one forward pass at batch 1; there is no value if the cost of an operator is unknown.

    Convolutions, fully connected layers and matrix products count, biases do not. ``elementwise`` has the output values
    of normalisation, activations and pooling, ``incomplete`` the operators of unknown cost. For a network with early
    exits, the longest path counts, with all heads on it.
    """
    recogniser = row.recogniser
    blank = torch.full((1, recogniser.channels, recogniser.size, recogniser.size), _PAPER, dtype=torch.uint8)
    network = recogniser.network
    counted = count(network if cascade_of(network) is None else LongPath(network).eval(), blank)
    detail = {"incomplete": list(counted.incomplete), "elementwise": counted.elementwise}
    return Measurement(None if counted.incomplete else counted.macs, detail)
