"""Multiply-adds of this suite against those of ptflops."""

from torch import Tensor, nn

from bench.comparisons._counts import Work, compared, peer
from bench.records.record import Measurement

GOAL = "exactly 1: every difference is explained"
LIMIT = 1.0
VERSION = "1"


def compare() -> Measurement:
    """One and the largest unexplained share of ptflops' figures, by its default engine.

    Beside multiply-adds that engine counts one operation for each value that a bias is added to, two for each that
    batch normalisation takes, and one for each that an activation gives or a pooling takes: one for the module and
    one more for the function that the module calls, so that those of most modules count twice. It knows modules by
    their very class, and so leaves out global weighted pooling, whose class is derived from a convolution's.

    Raises:
        ModuleNotFoundError: ptflops is not installed; the extra ``peers`` has it.
    """
    return compared(theirs, besides)


def theirs(network: nn.Module, image: Tensor) -> int:
    """Multiply-adds of one forward pass by its count."""
    shape = tuple(image.shape[1:])
    macs, _ = peer("ptflops").get_model_complexity_info(network, shape, print_per_layer_stat=False, as_strings=False)
    return int(macs)


def besides(network: nn.Module, work: Work) -> int:
    """What it counts that is no multiply-add here."""
    functions, modules = work.activated + work.pooled, work.module_activated + work.module_pooled
    return work.biased + 2 * work.normalised + functions + modules - work.derived
