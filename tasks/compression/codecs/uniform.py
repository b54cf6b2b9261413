"""Uniform quantisation: a layer's weights as whole multiples of one step.

Source: fire-hccr, section 4.5: fixed-point, 8 bits for convolutions and 4 for fully connected layers.
"""

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.compression.bits import MOST_BITS
from tasks.compression.codecs._base import Settings as BaseSettings
from tasks.compression.codecs._base import Tensors, is_weight, sample_indices
from tasks.compression.container import Coded, as_bfloat16, kept

FORMS = (
    "uA-B[-rows][-folded] (A bits a weight of convolutions, B of fully connected layers, 2 to 8; a step for each "
    "output of fully connected layers instead of one a layer; batch normalisation folded into convolutions), such as "
    "u8-4",
)
KINDS = ("uniform", "uniform-rows")
LEAST_BITS = 2  # with one, the only multiples would be 0 and -1

_NAME = re.compile(r"u([2-8])-([2-8])(-rows)?(-folded)?")
_SAMPLE = 1 << 18  # weights from which a layer's steps are learnt
_LEAST = 1 << 12  # of them for each step
# Steps to try, as shares of the one that just spans the greatest weight: in few bits, cutting off the outermost weights
# costs less than coarser steps for all others.
_SHARES = np.linspace(0.3, 1.0, 29)


@dataclass(frozen=True, kw_only=True)
class Settings(BaseSettings):
    """Settings of uniform quantisation.

    Attributes:
        convolution_bits: of one weight of a convolution or of weighted pooling, 2 to 8.
        linear_bits: of one weight of a fully connected layer, 2 to 8.
        rows: each output of a fully connected layer has a step of its own.
    """

    convolution_bits: int = 8
    linear_bits: int = 4
    rows: bool = False


def parse(name: str) -> Settings | None:
    """Settings of a name such as ``u8-4-rows``; None where it is no name of this codec."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    return Settings(
        convolution_bits=int(match[1]), linear_bits=int(match[2]), rows=bool(match[3]), folded=bool(match[4])
    )


def encode(tensors: Tensors, settings: Settings) -> dict[str, Coded]:
    """Encode the weights of layers as multiples of steps; biases and batch normalisation are kept.

    Args:
        tensors: by name, as a state dict has them.
        settings: bits and steps.

    Raises:
        ValueError: no such number of bits, or weights that are not finite; names the layer.
    """
    found = {}
    for name, tensor in tensors.items():
        try:
            bits = settings.convolution_bits if tensor.ndim > 2 else settings.linear_bits
            per_output = settings.rows and tensor.ndim == 2
            found[name] = quantise(tensor, bits, per_output) if is_weight(name, tensors) else kept(tensor)
        except ValueError as error:
            raise ValueError(f"layer {name}: {error}") from error
    return found


def quantise(weights: NDArray[np.float32], bits: int, per_output: bool = False) -> Coded:
    """Weights, float32 (outputs, ...), as multiples of the step that changes them least, in the mean of squares.

    Args:
        weights: float32 (outputs, ...).
        bits: 2 to 8 a weight.
        per_output: a step for each output instead of one for all.

    Returns: codes from 0, each its multiple plus ``2 ** (bits - 1)``; the table holds the steps.

    Raises:
        ValueError: no such number of bits, or weights that are not finite.
    """
    if not LEAST_BITS <= bits <= MOST_BITS:
        raise ValueError(f"wanted {LEAST_BITS} to {MOST_BITS} bits, got {bits}")
    if not np.isfinite(weights).all():
        raise ValueError("wanted finite weights, got some that are not")
    rows = np.ascontiguousarray(weights, np.float32).reshape(len(weights) if per_output else 1, -1)
    steps = _steps(rows, bits)
    if per_output:
        steps = as_bfloat16(steps)
    codes = (_multiples(rows, steps[:, None], bits) + (1 << (bits - 1))).astype(np.uint8)
    return Coded(weights.shape, "uniform-rows" if per_output else "uniform", bits, steps, codes.ravel())


def decode(stored: Coded) -> NDArray[np.float32]:
    """The weights of stored codes, float32: the same on every machine, bit for bit.

    Raises:
        ValueError: the number of steps is neither one nor that of the outputs.
    """
    if len(stored.table) not in (1, stored.shape[0]):
        raise ValueError(f"wanted 1 or {stored.shape[0]} steps, got {len(stored.table)}")
    multiples = stored.codes.reshape(len(stored.table), -1).astype(np.float32) - (1 << (stored.bits - 1))
    return (multiples * stored.table[:, None]).reshape(stored.shape)


def _steps(rows: NDArray[np.float32], bits: int) -> NDArray[np.float32]:
    """The best step of each row, float32 (rows,)."""
    sample = rows[:, sample_indices(rows.shape[1], max(_SAMPLE // len(rows), _LEAST))]
    # A weight of the greatest size must fit on the positive side, which has one multiple less.
    spanning = np.abs(rows).max(axis=1) / ((1 << (bits - 1)) - 1)
    spanning[spanning == 0] = 1  # a row of zeros, at any step
    best: NDArray[np.float32] = spanning.astype(np.float32)
    least = np.full(len(rows), np.inf)
    for share in _SHARES:
        steps = (spanning * share).astype(np.float32)
        error = np.square(_multiples(sample, steps[:, None], bits) * steps[:, None] - sample).sum(axis=1)
        best, least = np.where(error <= least, steps, best), np.minimum(error, least)
    return best


def _multiples(rows: NDArray[np.float32], steps: NDArray[np.float32], bits: int) -> NDArray[np.float32]:
    half = 1 << (bits - 1)
    found: NDArray[np.float32] = rows / steps
    np.rint(found, out=found)
    np.clip(found, -half, half - 1, out=found)
    return found
