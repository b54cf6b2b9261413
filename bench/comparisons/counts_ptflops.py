"""Multiply-adds of this suite against those of ptflops."""

from torch import Tensor, nn

from bench.comparisons._mac_counters import Work, compare_counters, peer
from bench.records.record import Measurement

GOAL = "exactly 1: every difference is explained"
LIMIT = 1.0
VERSION = "1"


def compare() -> Measurement:
    """One plus the largest unexplained share of ptflops' figures, by its default engine.

    This engine also counts one operation per output with a bias, two per input of batch normalisation, and one per
    output of an activation and per input of a pooling; activations and poolings count once for the module and once for
    the function that it calls, so most count twice. It matches modules by exact class, so it misses global weighted
    pooling, whose class is derived from a convolution.
    """
    return compare_counters(peer_count, extra_operations)


def peer_count(network: nn.Module, image: Tensor) -> int:
    """Multiply-adds of one forward pass, counted by ptflops."""
    shape = tuple(image.shape[1:])
    macs, _ = peer("ptflops").get_model_complexity_info(network, shape, print_per_layer_stat=False, as_strings=False)
    return int(macs)


def extra_operations(network: nn.Module, work: Work) -> int:
    """Operations that it counts in addition to this suite's multiply-adds."""
    functions, modules = work.activated + work.pooled, work.module_activated + work.module_pooled
    return work.biased + 2 * work.normalised + functions + modules - work.derived
