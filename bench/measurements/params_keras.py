"""Parameters as Keras counts them."""

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
    """Parameters as the ``summary()`` of Keras counts them, including the moving statistics of batch normalisation."""
    return Measurement(keras_parameters(row.recogniser.network))


def keras_parameters(network: nn.Module) -> int:
    """Parameters of a network or a part of it; batch normalisation has four per channel."""
    moving = [getattr(module, name, None) for module in network.modules() for name in _MOVING]
    return sum(tensor.numel() for tensor in (*network.parameters(), *moving) if isinstance(tensor, Tensor))
