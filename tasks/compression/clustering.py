"""Clusters the weights of a layer: by equal population or by k-means.

Source: quant-retrain, section III.A: clusters of equal population, each weight replaced by the mean of its cluster.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.compression.codecs._base import sample_indices

# quant-retrain, section III.A: powers of two, at most one byte per weight.
CLUSTERS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
_ROUNDS = 30  # of k-means; further ones reduce the error by less than a hundredth, as the start is good
_BINS = 4096  # of the histogram from which k-means takes its initial centroids
_SAMPLE = 1 << 18  # weights used by k-means: a thousand per cluster at 256 clusters


@dataclass(frozen=True)
class Clustered:
    """The weights of a layer as clusters."""

    codes: NDArray[np.uint8]  # index of each weight's cluster, in the shape of the weights; 0 has the smallest weights
    centroids: NDArray[np.float32]  # (k,), each the mean of its cluster; for an empty one the middle of its range

    @property
    def weights(self) -> NDArray[np.float32]:
        """Float32, each weight replaced by its centroid."""
        return self.centroids[self.codes]


def equal_population(weights: NDArray[np.float32], clusters: int) -> Clustered:
    """Cut the sorted weights, of any shape, into clusters whose sizes differ by at most one; ties keep their order.

    Raises:
        ValueError: ``clusters`` is not a power of two from 1 to 256 or exceeds the number of weights, or weights are
            not finite.
    """
    flat = _checked(weights, clusters)
    if clusters == 1:
        return Clustered(np.zeros(weights.shape, np.uint8), np.array([flat.mean(dtype=np.float64)], np.float32))
    order = _order(flat)
    starts = np.arange(clusters + 1) * flat.size // clusters
    sizes = np.diff(starts)
    codes = np.empty(flat.size, np.uint8)
    codes[order] = np.repeat(np.arange(clusters, dtype=np.uint8), sizes)
    centroids = np.add.reduceat(flat[order], starts[:-1], dtype=np.float64) / sizes
    return Clustered(codes.reshape(weights.shape), centroids.astype(np.float32))


def coarser(weights: NDArray[np.float32], fine: Clustered, clusters: int) -> Clustered:
    """The result of ``equal_population`` for fewer clusters than ``fine``, without sorting the same weights again.

    Raises:
        ValueError: ``clusters`` is not a power of two or exceeds that of ``fine``.
    """
    flat = _checked(weights, clusters)
    if clusters > len(fine.centroids):
        raise ValueError(f"wanted at most the {len(fine.centroids)} existing clusters, got {clusters}")
    shift = index_bits(len(fine.centroids)) - index_bits(clusters)
    # Every bound between the few clusters is also one between the many.
    codes = (fine.codes >> shift).astype(np.uint8, copy=False)
    return Clustered(codes, _means(flat, codes.ravel(), np.zeros(clusters)))


def k_means(weights: NDArray[np.float32], clusters: int) -> Clustered:
    """Lloyd's k-means: each step reduces the mean squared error of the weights.

    The centroids of large layers come from a sample of their weights. Arguments and errors as in ``equal_population``.
    """
    flat = _checked(weights, clusters)
    sample = np.sort(flat[sample_indices(flat.size, _SAMPLE)])
    total = np.concatenate([[0.0], np.cumsum(sample, dtype=np.float64)])
    centroids = _start(sample, clusters)
    for _ in range(_ROUNDS):
        edges = np.searchsorted(sample, (centroids[1:] + centroids[:-1]) / 2, side="right")
        bounds = np.concatenate([[0], edges, [sample.size]])
        sizes = np.diff(bounds)
        moved = np.where(sizes > 0, np.diff(total[bounds]) / np.maximum(sizes, 1), centroids)
        if np.array_equal(moved, centroids):
            break
        centroids = moved
    codes = np.searchsorted((centroids[1:] + centroids[:-1]) / 2, flat, side="right").astype(np.uint8)
    return Clustered(codes.reshape(weights.shape), _means(flat, codes, centroids))


METHODS: Mapping[str, Callable[[NDArray[np.float32], int], Clustered]] = {
    "population": equal_population,
    "kmeans": k_means,
}


def index_bits(clusters: int) -> int:
    """Bits of the index of a cluster."""
    return (clusters - 1).bit_length()


def _checked(weights: NDArray[np.float32], clusters: int) -> NDArray[np.float32]:
    """The weights as float32 with one axis, after checking them and the number of clusters."""
    if clusters not in CLUSTERS:
        raise ValueError(f"wanted a power of two from {CLUSTERS[0]} to {CLUSTERS[-1]} for the clusters, got {clusters}")
    if clusters > weights.size:
        raise ValueError(f"wanted at most as many clusters as weights, {weights.size}, got {clusters}")
    flat = np.ascontiguousarray(weights, np.float32).ravel()
    if not np.isfinite(flat).all():
        raise ValueError("wanted finite weights, got some that are not")
    return flat


def _order(flat: NDArray[np.float32]) -> NDArray[np.int64]:
    """Indices that sort the weights, stable.

    Sorting integers with the value in the upper and the index in the lower half takes two thirds of the time of NumPy's
    stable argsort of floats.
    """
    raw = (flat + np.float32(0)).view(np.uint32)  # -0.0 becomes 0.0, as they are equal
    # The bits of floats sort like their values after inverting all bits of negative floats and the sign bit of others.
    keys = np.where(raw >> 31, ~raw, raw | np.uint32(1 << 31)).astype(np.uint64)
    keys <<= np.uint64(32)
    keys |= np.arange(flat.size, dtype=np.uint64)
    keys.sort()
    keys &= np.uint64(0xFFFFFFFF)
    return keys.view(np.int64)


def _start(sample: NDArray[np.float32], clusters: int) -> NDArray[np.float64]:
    """Initial centroids, as dense as the cube root of the density of the weights.

    Source: Panter and Dite, Proceedings of the IRE 39 (1951), 44-48: least mean squared error for many clusters.
    """
    counts, edges = np.histogram(sample, _BINS)
    share = np.concatenate([[0.0], np.cumsum(np.cbrt(counts))])
    start: NDArray[np.float64] = np.interp((np.arange(clusters) + 0.5) / clusters * share[-1], share, edges)
    return start


def _means(flat: NDArray[np.float32], codes: NDArray[np.uint8], otherwise: NDArray[np.float64]) -> NDArray[np.float32]:
    """Mean of each cluster; for an empty cluster the value in ``otherwise``."""
    sizes = np.bincount(codes, minlength=len(otherwise))
    sums = np.bincount(codes, weights=flat, minlength=len(otherwise))
    return np.where(sizes > 0, sums / np.maximum(sizes, 1), otherwise).astype(np.float32)
