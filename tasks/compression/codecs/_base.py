"""Shared by all codecs: common settings, which tensors are weights of layers, and errors that name the layer."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Tensors = Mapping[str, NDArray[np.float32]]  # by their names in the state dict


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of a codec; each codec extends them."""

    folded: bool = False  # whether batch normalisation is first folded into the convolutions
    layers: tuple[str, ...] = ()  # names, or dotted parts of names, of the layers to quantise; empty for all
    # If set, the settings of each layer are chosen on validation images, so that accuracy falls by at most this many
    # percentage points; None if all layers have the same settings.
    within: float | None = None


@contextmanager
def error_prefix(prefix: str) -> Iterator[None]:
    """Put a layer or storage in front of the message of a ValueError."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{prefix}: {error}") from error


def is_weight(name: str, tensors: Tensors) -> bool:
    """Whether a tensor is the weight of a convolution or fully connected layer; scales have only one axis."""
    return name.endswith("weight") and tensors[name].ndim > 1


def is_bias(name: str, tensors: Tensors) -> bool:
    """Whether a tensor is the bias of such a layer; the shifts of batch normalisation are not."""
    weight = f"{name.removesuffix('bias')}weight"
    return name.endswith("bias") and weight in tensors and is_weight(weight, tensors)


def sample_indices(count: int, most: int) -> NDArray[np.int64]:
    """Up to ``most`` random indices below ``count``, drawn with a fixed seed; all indices if there are no more."""
    # Evenly spaced indices would always hit the same position of small convolution kernels.
    return np.arange(count) if count <= most else np.random.default_rng(0).integers(0, count, most)
