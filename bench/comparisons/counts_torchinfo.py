"""Multiply-adds of this suite against those of torchinfo."""

from torch import Tensor, nn

from bench.comparisons._counts import Work, compared, peer
from bench.records.record import Measurement

GOAL = "exactly 1: every difference is explained"
LIMIT = 1.0
VERSION = "1"


def compare() -> Measurement:
    """One and the largest unexplained share of torchinfo's figures.

    It multiplies a layer's parameters, biases with them, by the places of its output; batch normalisation's by one,
    as it does with every layer that is no convolution.

    Raises:
        ModuleNotFoundError: torchinfo is not installed; the extra ``peers`` has it.
    """
    return compared(theirs, besides)


def theirs(network: nn.Module, image: Tensor) -> int:
    """Multiply-adds of one forward pass by its count."""
    return int(peer("torchinfo").summary(network, input_data=image, verbose=0).total_mult_adds)


def besides(network: nn.Module, work: Work) -> int:
    """What it counts that is no multiply-add here."""
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    return work.biased + sum(parameter.numel() for norm in norms for parameter in norm.parameters())
