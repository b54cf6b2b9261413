"""Centroid quantisation: each weight of a layer becomes the centroid of its cluster.

Source: quant-retrain, section III.A.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from numpy import float32
from numpy.typing import NDArray

from tasks.compression.bits import packed_size
from tasks.compression.clustering import METHODS, Clustered, index_bits
from tasks.compression.codecs._base import Settings as BaseSettings
from tasks.compression.codecs._base import Tensors, error_prefix, is_bias, is_weight
from tasks.compression.container import Coded, raw

FORMS = (
    "cK[-kmeans][-bias1][-folded][-of-LAYER-LAYER…] (K centroids a layer: 1, 2, 4 … 256; kmeans: clusters by k-means "
    "instead of equal population; bias1: one centroid for the biases of a layer; folded: batch normalisation is folded "
    "into the convolutions; of: only the named layers or the layers in a named block, in alphabetical order), such as "
    "c32 or c256-of-layer3-layer4",
    "c-withinP[-kmeans][-folded] (number of centroids chosen per layer: the smallest file found whose accuracy on "
    "validation images falls by at most P percentage points, at 95 % confidence), such as c-within1 or c-within0.5",
)
KINDS = ("centroid",)
FLOAT_BYTES = 4  # of an uncompressed weight

_NAME = re.compile(
    r"c(1|2|4|8|16|32|64|128|256)(-kmeans)?(-bias1)?(-folded)?(?:-of-([A-Za-z0-9_.]+(?:-[A-Za-z0-9_.]+)*))?"
)
_WITHIN = re.compile(r"c-within((?:0|[1-9]\d?)(?:\.\d?[1-9])?)(-kmeans)?(-folded)?")
# Words with a meaning in storage names: layers with these names cannot be selected.
_WORDS = {"kmeans", "bias1", "folded", "of", "retrained", "conventional", "on"}


@dataclass(frozen=True, kw_only=True)
class Settings(BaseSettings):
    """Settings of centroid quantisation."""

    # Number of centroids, for each layer that becomes smaller; or a number for each layer by name.
    clusters: int | Mapping[str, int] = 256
    method: str = "population"  # one of METHODS
    one_bias: bool = False  # whether the biases of a layer share one centroid, as in quant-retrain


def parse(name: str) -> Settings | None:
    """Settings from a name such as ``c32-kmeans``; None if it is not a name of this codec."""
    if match := _WITHIN.fullmatch(name):
        return Settings(method=_method(match[2]), folded=bool(match[3]), within=float(match[1]))
    if not (match := _NAME.fullmatch(name)):
        return None
    layers = tuple(match[5].split("-")) if match[5] else ()
    if list(layers) != sorted(set(layers) - _WORDS):  # each storage has only one name, and options are not layers
        return None
    return Settings(
        clusters=int(match[1]), method=_method(match[2]), one_bias=bool(match[3]), folded=bool(match[4]), layers=layers
    )


def encode(tensors: Tensors, settings: Settings) -> dict[str, Coded]:
    """Encode the weights of layers as indices of centroids; batch normalisation stays in float32.

    Raises:
        ValueError: an unknown layer, weights that the method refuses (names the layer), or settings with ``within`` but
            without the chosen clusters.
    """
    clusters = _clusters(tensors, settings)
    weights = [name for name in tensors if is_weight(name, tensors)]
    unknown = [name for name in clusters if name not in weights]
    if unknown:
        raise ValueError(f"no weights of a layer called {', '.join(unknown)}; there are: {', '.join(weights)}")
    if settings.one_bias:
        clusters |= {name: 1 for name in tensors if is_bias(name, tensors)}
    method = METHODS[settings.method]
    encoded = {}
    for name, tensor in tensors.items():
        with error_prefix(f"layer {name}"):
            encoded[name] = coded(method(tensor, clusters[name])) if name in clusters else raw(tensor)
    return encoded


def check_layers(tensors: Tensors, settings: Settings) -> None:
    """Check that a network has the layers that the settings name.

    Raises:
        ValueError: no such layer, or none that would become smaller; lists the layers of the network.
    """
    _clusters(tensors, settings)


def coded(clustered: Clustered) -> Coded:
    """The clusters of a layer as a coded tensor."""
    codes, centroids = clustered.codes, clustered.centroids
    return Coded(codes.shape, "centroid", index_bits(len(centroids)), centroids, codes.ravel())


def decode(stored: Coded) -> NDArray[float32]:
    """The weights of stored clusters, float32.

    Raises:
        ValueError: a code without a centroid.
    """
    if stored.codes.size and int(stored.codes.max()) >= len(stored.table):
        raise ValueError(f"wanted codes below {len(stored.table)}, got {int(stored.codes.max())}")
    return stored.table[stored.codes].reshape(stored.shape)


def stored_bytes(weights: int, clusters: int) -> int:
    """Bytes of a layer in a packed file: its centroids and its codes."""
    return FLOAT_BYTES * clusters + packed_size(weights, index_bits(clusters))


def saves(weights: int, clusters: int) -> bool:
    """Whether a layer takes fewer bytes with its table of centroids than in float32."""
    return clusters <= weights and stored_bytes(weights, clusters) < FLOAT_BYTES * weights


def _clusters(tensors: Tensors, settings: Settings) -> dict[str, int]:
    """Number of clusters of each weight to quantise, by name."""
    if not isinstance(settings.clusters, int):
        return dict(settings.clusters)
    if settings.within is not None:
        raise ValueError("wanted the centroids of each layer, chosen on validation images; got one number for all")
    weights = [name for name in tensors if is_weight(name, tensors)]
    if not settings.layers:
        return {name: settings.clusters for name in weights if saves(tensors[name].size, settings.clusters)}
    clusters: dict[str, int] = {}
    for part in settings.layers:
        named = [name for name in weights if f".{part}." in f".{name}"]
        smaller = [name for name in named if saves(tensors[name].size, settings.clusters)]
        if not smaller:
            reason = f"none that {settings.clusters} centroids make smaller" if named else "no such layer"
            known = ", ".join(name.removesuffix(".weight") for name in weights)
            raise ValueError(f"wanted layers called {part} or below it, got {reason}; there are: {known}")
        clusters |= dict.fromkeys(smaller, settings.clusters)
    return clusters


def _method(suffix: str | None) -> str:
    return suffix[1:] if suffix else "population"
