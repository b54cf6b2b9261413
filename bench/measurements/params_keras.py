"""Parameters as Keras prints them."""

from torch import Tensor, nn

from bench.measurements._row import Row
from bench.records.record import Measurement

NAME = "params_keras"
UNIT = "count"
VERSION = "1"
BETTER = "lower"
PHASE = "figures"
COLUMN = None

_MOVING = ("running_mean", "running_var")  # Keras: moving_mean and moving_variance, non-trainable parameters


def measure(row: Row) -> Measurement:
    """Parameters with batch normalisation's moving means and variances, for claims read off ``summary()``."""
    return Measurement(keras_parameters(row.recogniser.network))


def keras_parameters(network: nn.Module) -> int:
    """Parameters of a network or a part of it, batch normalisation with four a channel."""
    moving = sum(
        statistic.numel()
        for module in network.modules()
        for name in _MOVING
        if isinstance(statistic := getattr(module, name, None), Tensor)
    )
    return sum(p.numel() for p in network.parameters()) + moving
