"""Networks by the names of their architectures, sealed with their normalisation, with random weights."""

import torch

from tasks.architectures import ARCHITECTURES
from tasks.normalised import Normalised


def built(architecture: str, classes: int) -> tuple[Normalised, int, int]:
    """The network of an architecture, and channels and side of its input in pixels.

    Args:
        architecture: ``name`` or ``name:variant``.
        classes: size of the label space.
    """
    name, _, variant = architecture.partition(":")
    module = ARCHITECTURES.load(name)
    channels, size = module.INPUT
    return Normalised(module.build(variant, classes, channels, size), module.LAYOUT), channels, size


def outlined(architecture: str, classes: int) -> Normalised | None:
    """Names and shapes of a network alone, without memory for its weights; None where it cannot be built that way.

    Arguments as for ``built``. What is wrong with a plug-in that cannot be built at all, its own row says.
    """
    try:
        with torch.device("meta"):
            return built(architecture, classes)[0]
    except Exception:  # other people's code: anything
        return None
