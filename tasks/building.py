"""Builds networks by architecture name, with their normalisation and random weights."""

import torch

from tasks.architectures import ARCHITECTURES
from tasks.normalised import Normalised


def built(architecture: str, classes: int) -> tuple[Normalised, int, int]:
    """Build ``name`` or ``name:variant`` for ``classes`` classes; returns the network, its input channels and side."""
    name, _, variant = architecture.partition(":")
    module = ARCHITECTURES.load(name)
    channels, size = module.INPUT
    return Normalised(module.build(variant, classes, channels, size), module.LAYOUT), channels, size


def outlined(architecture: str, classes: int) -> Normalised | None:
    """Build a network on the meta device, with names and shapes but no memory for weights; None if that fails.

    Errors of the architecture are not reported here: its own row reports them.
    """
    try:
        with torch.device("meta"):
            return built(architecture, classes)[0]
    except Exception:  # plug-ins of third parties may raise anything
        return None
