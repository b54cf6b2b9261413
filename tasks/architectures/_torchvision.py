"""Builds torchvision's networks, untrained, for any number of input channels and any input size."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from tasks.architectures._checks import fitted


def torchvision_network(
    builder: Callable[..., nn.Module], classes: int, channels: int, size: int, **settings: Any
) -> nn.Module:
    """One of torchvision's networks with random weights; ``settings`` go to ``builder``, such as ``alexnet``.

    If the first convolution expects another number of input channels, it is replaced.

    Raises:
        ValueError: the input is too small; names the layer.
    """
    network = builder(weights=None, num_classes=classes, **settings)
    _set_input_channels(network, channels)
    return fitted(network, channels, size)


def _set_input_channels(network: nn.Module, channels: int) -> None:
    """Replace the first convolution if it expects another number of channels; its other settings stay."""
    name, old = next((name, layer) for name, layer in network.named_modules() if isinstance(layer, nn.Conv2d))
    if old.in_channels == channels:
        return
    settings = {key: getattr(old, key) for key in ("kernel_size", "stride", "padding", "dilation", "groups")}
    new = nn.Conv2d(channels, old.out_channels, **settings, bias=old.bias is not None)
    # Each network has its own initialisation: use the spread of its weights instead of PyTorch's default.
    new.weight.data = torch.randn_like(new.weight) * old.weight.data.std()
    if new.bias is not None and old.bias is not None:
        new.bias.data.copy_(old.bias.data)
    parent, _, child = name.rpartition(".")
    setattr(network.get_submodule(parent), child, new)
