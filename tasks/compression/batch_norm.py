"""Recomputes the running statistics of batch normalisation after the weights before it have changed."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from datamodules._loader import Batch
from tasks.early_exits.cascade import every_logits

MEASURED = 1024  # images: their thousands of positions give each channel's mean and variance to about a hundredth


@torch.no_grad()
def refit_statistics(network: nn.Module, batches: Iterable[Batch], device: Any = "cpu") -> None:
    """Recompute the means and variances of batch normalisation as plain averages over batches.

    Args:
        network: with its normalisation sealed inside; it is left in eval mode.
        batches: of images, at least MEASURED of them; labels are ignored.
        device: of the network.
    """
    layers: list[Any] = [layer for layer in network.modules() if isinstance(layer, _BatchNorm)]
    network.eval()
    if not layers:
        return
    momenta = [layer.momentum for layer in layers]
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # weights every batch equally
        layer.train()
    images = 0
    for batch in batches:
        every_logits(network, batch["images"].to(device))
        images += len(batch["images"])
        if images >= MEASURED:
            break
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
    network.eval()
