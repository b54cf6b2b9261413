"""Multiply-adds of this suite against fvcore's flops, which also count a multiply-add as one."""

import warnings

from torch import Tensor, nn

from bench.comparisons._mac_counters import Work, compare_counters, peer
from bench.records.record import Measurement

GOAL = "exactly 1: every difference is explained"
LIMIT = 1.0
VERSION = "1"


def compare() -> Measurement:
    """One plus the largest unexplained share of fvcore's flops.

    fvcore also counts two operations per input of batch normalisation (which inference folds into the convolution
    before it), and one per input of adaptive average pooling; no other pooling, and no activations or biases.
    """
    return compare_counters(peer_count, extra_operations)


def peer_count(network: nn.Module, image: Tensor) -> int:
    """Flops of one forward pass, counted by fvcore."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its last release, of 2022, uses PyTorch functions that are now deprecated
        analysis = peer("fvcore.nn").FlopCountAnalysis(network, image)
        return int(analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False).total())


def extra_operations(network: nn.Module, work: Work) -> int:
    """Operations that it counts in addition to this suite's multiply-adds."""
    return 2 * work.normalised + work.averaged
