"""Multiply-adds of this suite against fvcore's flops, which are multiply-adds by another name."""

import warnings

from torch import Tensor, nn

from bench.comparisons._counts import Work, compared, peer
from bench.records.record import Measurement

GOAL = "exactly 1: every difference is explained"
LIMIT = 1.0
VERSION = "1"


def compare() -> Measurement:
    """One and the largest unexplained share of fvcore's flops.

    It counts two operations for each value that batch normalisation takes, though inference folds it into the
    convolution before, and one for each that adaptive average pooling takes; no other pooling, activation or bias.

    Raises:
        ModuleNotFoundError: fvcore is not installed; the extra ``peers`` has it.
    """
    return compared(theirs, besides)


def theirs(network: nn.Module, image: Tensor) -> int:
    """Flops of one forward pass by its count."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its last release, of 2022, uses what PyTorch calls deprecated today
        analysis = (
            peer("fvcore.nn")
            .FlopCountAnalysis(network, image)
            .unsupported_ops_warnings(False)
            .uncalled_modules_warnings(False)
        )
        return int(analysis.total())


def besides(network: nn.Module, work: Work) -> int:
    """What it counts that is no multiply-add here."""
    return 2 * work.normalised + work.averaged
