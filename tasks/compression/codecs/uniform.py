"""Uniform quantisation: the weights of a layer become integer multiples of one step.

Source: fire-hccr, section 4.5: fixed-point, 8 bits for convolutions and 4 for fully connected layers.
"""

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.compression.bits import MOST_BITS
from tasks.compression.codecs._base import Settings as BaseSettings
from tasks.compression.codecs._base import Tensors, error_prefix, is_weight, sample_indices
from tasks.compression.container import Coded, as_bfloat16, raw

FORMS = (
    "uA-B[-rows][-folded] (A bits per weight of convolutions, B of fully connected layers, 2 to 8; rows: one step per "
    "output of fully connected layers instead of one per layer; folded: batch normalisation is folded into the "
    "convolutions), such as u8-4",
)
KINDS = ("uniform", "uniform-rows")
LEAST_BITS = 2  # one bit would allow only the multiples 0 and -1

_NAME = re.compile(r"u([2-8])-([2-8])(-rows)?(-folded)?")
_SAMPLE = 1 << 18  # weights of a layer that determine its steps
_LEAST = 1 << 12  # minimum of these weights per step
# Candidate steps, as shares of the step that just reaches the largest weight: with few bits, clipping the outermost
# weights costs less than coarser steps for all others.
_SHARES = np.linspace(0.3, 1.0, 29)


@dataclass(frozen=True, kw_only=True)
class Settings(BaseSettings):
    """Settings of uniform quantisation."""

    convolution_bits: int = 8  # per weight of a convolution or of weighted pooling, 2 to 8
    linear_bits: int = 4  # per weight of a fully connected layer, 2 to 8
    rows: bool = False  # whether each output of a fully connected layer has its own step


def parse(name: str) -> Settings | None:
    """Settings from a name such as ``u8-4-rows``; None if it is not a name of this codec."""
    if not (match := _NAME.fullmatch(name)):
        return None
    convolution_bits, linear_bits, rows, folded = match.groups()
    return Settings(
        convolution_bits=int(convolution_bits), linear_bits=int(linear_bits), rows=bool(rows), folded=bool(folded)
    )


def encode(tensors: Tensors, settings: Settings) -> dict[str, Coded]:
    """Encode the weights of layers as multiples of steps; biases and batch normalisation stay in float32.

    Raises:
        ValueError: fewer than 2 or more than 8 bits, or weights that are not finite; names the layer.
    """
    coded = {}
    for name, tensor in tensors.items():
        bits = settings.convolution_bits if tensor.ndim > 2 else settings.linear_bits
        per_output = settings.rows and tensor.ndim == 2
        with error_prefix(f"layer {name}"):
            coded[name] = quantise(tensor, bits, per_output) if is_weight(name, tensors) else raw(tensor)
    return coded


def quantise(weights: NDArray[np.float32], bits: int, per_output: bool = False) -> Coded:
    """Quantise weights, float32 (outputs, ...), by the step with the least squared error, or one such step per output.

    Returns: codes from 0, each its multiple plus ``2 ** (bits - 1)``; the table holds the steps.

    Raises:
        ValueError: fewer than 2 or more than 8 bits, or weights that are not finite.
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
    """The weights of stored codes, float32, bit for bit the same on every machine.

    Raises:
        ValueError: the number of steps is neither one nor the number of outputs.
    """
    if len(stored.table) not in (1, stored.shape[0]):
        raise ValueError(f"wanted 1 or {stored.shape[0]} steps, got {len(stored.table)}")
    multiples = stored.codes.reshape(len(stored.table), -1).astype(np.float32) - (1 << (stored.bits - 1))
    return (multiples * stored.table[:, None]).reshape(stored.shape)


def _steps(rows: NDArray[np.float32], bits: int) -> NDArray[np.float32]:
    """The best step of each row, float32 (rows,)."""
    sample = rows[:, sample_indices(rows.shape[1], max(_SAMPLE // len(rows), _LEAST))]
    # The largest weight must fit on the positive side, which has one multiple less than the negative side.
    spanning = np.abs(rows).max(axis=1) / ((1 << (bits - 1)) - 1)
    spanning[spanning == 0] = 1  # a row of zeros fits any step
    best: NDArray[np.float32] = spanning.astype(np.float32)
    least = np.full(len(rows), np.inf)
    for share in _SHARES:
        steps = (spanning * share).astype(np.float32)
        error = np.square(_multiples(sample, steps[:, None], bits) * steps[:, None] - sample).sum(axis=1)
        best, least = np.where(error <= least, steps, best), np.minimum(error, least)
    return best


def _multiples(rows: NDArray[np.float32], steps: NDArray[np.float32], bits: int) -> NDArray[np.float32]:
    half = 1 << (bits - 1)
    multiples: NDArray[np.float32] = rows / steps
    np.rint(multiples, out=multiples)
    np.clip(multiples, -half, half - 1, out=multiples)
    return multiples
