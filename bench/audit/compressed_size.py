"""Estimates how far clustered weights shrink a gzip-compressed file: equal-population clusters, as in quant-retrain."""

import zlib
from collections.abc import Mapping
from functools import cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.audit.counts import parts_of
from bench.audit.networks import Built
from bench.audit.verdicts import Finding
from bench.measurements.params_keras import keras_parameters

_SAMPLE = 2**18  # weights compressed to estimate the ratio: 1 MiB, 32 times gzip's window
_LEVELS = (1, 4, 9)  # gzip levels: fastest, h5py's default, best; the paper names none
_DEFAULT = 4  # h5py's default level


def compressed(built: Built, check: Mapping[str, Any], sample: NDArray[np.float32] | None = None) -> Finding:
    """Per cent by which the file shrinks if the weights of ``layers`` are clustered and all others are kept.

    ``clusters`` is one number or a list; the figure is for the first at h5py's default gzip level, the range is over
    all of them at every level. The ratio is estimated from the first _SAMPLE weights of ``sample``, or from Gaussian
    weights, because training changes it little.
    """
    ratio = _ratio if sample is None else cache(partial(_shrunk, sample.ravel()[:_SAMPLE]))
    numbers = check["clusters"] if isinstance(check["clusters"], list) else [check["clusters"]]
    total = keras_parameters(built.network)
    chosen = sum(p.numel() for part in parts_of(built, check) for p in part.parameters() if p.dim() > 1)
    share = chosen / total

    def saved(clusters: int, level: int) -> float:
        return 100 * (1 - share * ratio(clusters, level) - (1 - share) * ratio(0, level))

    savings = [saved(clusters, level) for clusters in numbers for level in _LEVELS]
    low, high = round(min(savings), 1), round(max(savings), 1)  # one decimal: zlib builds differ in the second
    words = f"{min(numbers)} to {max(numbers)}" if len(numbers) > 1 else str(numbers[0])
    why = (
        f"{100 * share:.1f} % of the stored numbers are in {', '.join(check['layers'])}. With {words} equal-population "
        f"clusters there and gzip on the whole file, the file shrinks by {low:g} to {high:g} %"
    )
    return Finding(round(saved(numbers[0], _DEFAULT), 1), why, low=low, high=high)


@cache
def _ratio(clusters: int, level: int) -> float:
    """Compressed size over size of float32 weights in this many clusters; 0 clusters: unclustered weights."""
    return _shrunk(np.random.default_rng(0).standard_normal(_SAMPLE).astype(np.float32), clusters, level)


def _shrunk(sample: NDArray[np.float32], clusters: int, level: int) -> float:
    weights = sample.copy()
    if clusters:
        # Not tasks.compression.centroid: its means of float64 sums differ in the last bits, which changes the figures.
        order = np.argsort(weights, kind="stable")
        for members in np.array_split(order, clusters):
            weights[members] = weights[members].mean()
    data = weights.tobytes()
    return len(zlib.compress(data, level)) / len(data)
