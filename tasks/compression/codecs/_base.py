"""What codecs share: settings that every storage has, and which tensors are weights of layers."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Tensors = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of a codec; each codec extends them.

    Attributes:
        folded: batch normalisation is folded into the convolutions first.
        layers: names, or dotted parts of names, of the layers that are quantised; empty for all.
        within: points of accuracy within which validation images choose the settings of each layer; None where they
            are the same for all.
    """

    folded: bool = False
    layers: tuple[str, ...] = ()
    within: float | None = None


def is_weight(name: str, tensors: Tensors) -> bool:
    """Whether a tensor is the weight of a convolution or of a fully connected layer; scales have one axis."""
    return name.endswith("weight") and tensors[name].ndim > 1


def is_bias(name: str, tensors: Tensors) -> bool:
    """Whether a tensor is the bias of such a layer; batch normalisation's shifts are none."""
    weight = f"{name.removesuffix('bias')}weight"
    return name.endswith("bias") and weight in tensors and is_weight(weight, tensors)


def sample_indices(count: int, most: int) -> NDArray[np.int64]:
    """Indices of at most ``most`` of ``count`` numbers, drawn with a fixed seed; all indices where they are few."""
    # Evenly spaced indices would hit the same place of every small convolution window.
    return np.arange(count) if count <= most else np.random.default_rng(0).integers(0, count, most)
