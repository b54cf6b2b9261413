"""Multiply-adds of this suite against those of torchinfo."""

from torch import Tensor, nn

from bench.comparisons._mac_counters import Work, compare_counters, peer
from bench.records.record import Measurement

GOAL = "exactly 1: every difference is explained"
LIMIT = 1.0
VERSION = "1"


def compare() -> Measurement:
    """One plus the largest unexplained share of torchinfo's figures.

    torchinfo multiplies the parameters of a convolution, including biases, by the number of output positions; the
    parameters of other layers, such as batch normalisation, count once.
    """
    return compare_counters(peer_count, extra_operations)


def peer_count(network: nn.Module, image: Tensor) -> int:
    """Multiply-adds of one forward pass, counted by torchinfo."""
    return int(peer("torchinfo").summary(network, input_data=image, verbose=0).total_mult_adds)


def extra_operations(network: nn.Module, work: Work) -> int:
    """Operations that it counts in addition to this suite's multiply-adds."""
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    return work.biased + sum(parameter.numel() for norm in norms for parameter in norm.parameters())
