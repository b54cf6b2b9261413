"""torchvision's networks at any channel count and input size, untrained."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from tasks.architectures._checks import fitted


def torchvision_network(
    builder: Callable[..., nn.Module], classes: int, channels: int, size: int, **settings: Any
) -> nn.Module:
    """One of torchvision's networks with random weights; at most its first convolution is changed.

    Args:
        builder: such as ``torchvision.models.alexnet``.
        classes: width of the output.
        channels: of the input; other than three, the first convolution is replaced.
        size: side of the input in pixels.
        settings: handed to the builder.

    Raises:
        ValueError: the input is too small; names the layer.
    """
    network = builder(weights=None, num_classes=classes, **settings)
    _set_input_channels(network, channels)
    return fitted(network, channels, size)


def he_initialised(network: nn.Module) -> nn.Module:
    """The network itself, every weight redrawn so that ReLU layers keep the spread of their input, biases 0.

    Source: He et al., Delving deep into rectifiers, arXiv:1502.01852, equation 10.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return network


def _set_input_channels(network: nn.Module, channels: int) -> None:
    """Where the first convolution expects other channels, replace it, its other settings kept."""
    name, old = next((name, layer) for name, layer in network.named_modules() if isinstance(layer, nn.Conv2d))
    if old.in_channels == channels:
        return
    new = nn.Conv2d(
        channels,
        old.out_channels,
        old.kernel_size,  # type: ignore[arg-type]  # always a pair on an instance
        old.stride,  # type: ignore[arg-type]
        old.padding,  # type: ignore[arg-type]
        old.dilation,  # type: ignore[arg-type]
        old.groups,
        old.bias is not None,
    )
    # Each network has its own initialisation; its spread is carried over instead of PyTorch's default.
    new.weight.data = torch.randn_like(new.weight) * old.weight.data.std()
    if new.bias is not None and old.bias is not None:
        new.bias.data.copy_(old.bias.data)
    parent, _, child = name.rpartition(".")
    setattr(network.get_submodule(parent), child, new)
