"""Uniform quantisation: a layer's weights as whole multiples of one step.

Source: fire-hccr, section 4.5: fixed-point, 8 bits for convolutions and 4 for fully connected layers.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tasks.compression.bits import MOST_BITS
from tasks.compression.codecs.centroid import is_weight, some
from tasks.compression.container import ROWS, Coded, as_bfloat16, kept
from tasks.compression.storage import Steps

LEAST_BITS = 2  # with one, the only multiples would be 0 and -1
_SAMPLE = 1 << 18  # weights from which a layer's steps are learnt
_LEAST = 1 << 12  # of them for each step
# Steps to try, as shares of the one that just spans the greatest weight: in few bits, cutting off the outermost weights
# costs less than coarser steps for all others.
_SHARES = np.linspace(0.3, 1.0, 29)


def encode(
    tensors: Mapping[str, NDArray[np.float32]], convolution: int = 8, linear: int = 4, steps: Steps = "layer"
) -> dict[str, Coded]:
    """A network's tensors, the weights of its layers as codes; biases and batch normalisation are kept.

    Args:
        tensors: by name, as a state dict has them.
        convolution: bits of one weight of a convolution or of weighted pooling, 2 to 8.
        linear: the same of a fully connected layer.
        steps: one for each ``layer``; one for each output of fully connected layers, ``rows``; or one for each output
            channel of all layers, ``channel``.

    Raises:
        ValueError: no such number of bits, or weights that are not finite; names the layer.
    """
    found = {}
    for name, tensor in tensors.items():
        try:
            bits = convolution if tensor.ndim > 2 else linear
            per_output = steps == "channel" or (steps == "rows" and tensor.ndim == 2)
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
    return Coded(weights.shape, ROWS if per_output else "uniform", bits, steps, codes.ravel())


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
    sample = rows[:, some(rows.shape[1], max(_SAMPLE // len(rows), _LEAST))]
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
