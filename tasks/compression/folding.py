"""Folds batch normalisation into the layers before it: fewer values to store, the same logits."""

import copy
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

from tasks.early_exits.cascade import every_logits

_AGREE = 1e-3  # relative to the largest logit: allows rounding from another order of sums, far below any wrong fold

Network = TypeVar("Network", bound=nn.Module)


def folded(network: Network, image: Tensor) -> Network:
    """A copy with batch normalisation folded into the layer before, wherever it directly follows one.

    Args:
        network: in eval mode; with early exits, all heads are folded.
        image: any input; a forward pass with it shows the order of layers, and whether folding keeps the logits.

    Raises:
        ValueError: the logits change, because something else also uses a layer's output before its normalisation.
    """
    network = copy.deepcopy(network)
    layers = dict(network.named_modules())
    with torch.no_grad():
        before = torch.cat(every_logits(network, image), 1)
        for first, second in _pairs(network, image):
            fuse = fuse_conv_bn_eval if isinstance(layers[first], nn.Conv2d) else fuse_linear_bn_eval
            _replace(network, first, fuse(layers[first], layers[second]))
            _replace(network, second, nn.Identity())
        after = torch.cat(every_logits(network, image), 1)
    difference, most = float((after - before).abs().max()), float(before.abs().max())
    if not difference <= _AGREE * max(most, 1e-6):
        raise ValueError(f"folding batch normalisation changes outputs of up to {most:.3g} by {difference:.3g}")
    return network


def _pairs(network: nn.Module, image: Tensor) -> list[tuple[str, str]]:
    """Names of layers and of the batch normalisation that directly follows each; both run exactly once."""
    outputs: list[tuple[str, Tensor]] = []  # kept alive: the memory of a freed tensor could be reused for another
    pairs: list[tuple[str, str]] = []
    runs: dict[str, int] = {}
    handles = []
    for name, module in network.named_modules():

        def record(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor, name: str = name) -> None:
            runs[name] = runs.get(name, 0) + 1
            if isinstance(module, nn.Conv2d | nn.Linear):
                outputs.append((name, output))
            elif isinstance(module, nn.BatchNorm2d | nn.BatchNorm1d):
                pairs.extend((before, name) for before, tensor in outputs if tensor is inputs[0])

        if not any(module.children()):
            handles.append(module.register_forward_hook(record))
    try:
        every_logits(network, image)
    finally:
        for handle in handles:
            handle.remove()
    return [(first, second) for first, second in pairs if runs[first] == runs[second] == 1]


def _replace(network: nn.Module, name: str, module: nn.Module) -> None:
    parent, _, child = name.rpartition(".")
    setattr(network.get_submodule(parent), child, module)
