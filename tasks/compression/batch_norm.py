"""Statistics of batch normalisation after the weights before it have changed."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from datamodules._loader import Batch
from tasks.early_exits.cascade import every_logits

MEASURED = 1024  # images: their thousands of places tell means and variances of a channel to about a hundredth


@torch.no_grad()
def refit_statistics(network: nn.Module, batches: Iterable[Batch], device: Any = "cpu") -> None:
    """Measure means and variances of a network's batch normalisation anew, as plain means over batches.

    Args:
        network: sealed; it is left in eval mode.
        batches: of images, labels are not looked at; enough of them for MEASURED images.
        device: where the network is.
    """
    layers: list[Any] = [layer for layer in network.modules() if isinstance(layer, _BatchNorm)]
    network.eval()
    if not layers:
        return
    kept = [layer.momentum for layer in layers]
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # every batch counts alike
        layer.train()
    images = 0
    for batch in batches:
        every_logits(network, batch["images"].to(device))
        images += len(batch["images"])
        if images >= MEASURED:
            break
    for layer, momentum in zip(layers, kept, strict=True):
        layer.momentum = momentum
    network.eval()
