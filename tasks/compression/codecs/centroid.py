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
from tasks.compression.codecs._base import Tensors, is_bias, is_weight
from tasks.compression.container import Coded, kept

FORMS = (
    "cK[-kmeans][-bias1][-folded][-of-LAYER-LAYER…] (K centroids a layer: 1, 2, 4 … 256; clusters by k-means instead "
    "of equal population; all biases at one centroid; batch normalisation folded into convolutions; weights of the "
    "named layers alone, or of all below a named block, in alphabetical order), such as c32 or c256-of-layer3-layer4",
    "c-withinP[-kmeans][-folded] (centroids chosen layer by layer: the smallest file found that loses at most P points "
    "of accuracy on validation images, at 95 % confidence), such as c-within1 or c-within0.5",
)
KINDS = ("centroid",)
FLOAT_BYTES = 4  # of a weight as trained

_NAME = re.compile(
    r"c(1|2|4|8|16|32|64|128|256)(-kmeans)?(-bias1)?(-folded)?(?:-of-([A-Za-z0-9_.]+(?:-[A-Za-z0-9_.]+)*))?"
)
_WITHIN = re.compile(r"c-within((?:0|[1-9]\d?)(?:\.\d?[1-9])?)(-kmeans)?(-folded)?")
# Words of names: a layer that is called by one of them cannot be named.
_WORDS = {"kmeans", "bias1", "folded", "of", "retrained", "conventional", "on"}


@dataclass(frozen=True, kw_only=True)
class Settings(BaseSettings):
    """Settings of centroid quantisation.

    Attributes:
        clusters: centroids of each layer that is smaller that way; or of each named layer, the others kept.
        method: one of ``METHODS``.
        one_bias: the biases of each layer at one centroid, as in quant-retrain, instead of kept.
    """

    clusters: int | Mapping[str, int] = 256
    method: str = "population"
    one_bias: bool = False


def parse(name: str) -> Settings | None:
    """Settings of a name such as ``c32-kmeans``; None where it is no name of this codec."""
    if match := _WITHIN.fullmatch(name):
        return Settings(method=_method(match[2]), folded=bool(match[3]), within=float(match[1]))
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    layers = tuple(match[5].split("-")) if match[5] else ()
    if list(layers) != sorted(set(layers) - _WORDS):  # one name for each storage, and no option taken for a layer
        return None
    return Settings(
        clusters=int(match[1]), method=_method(match[2]), one_bias=bool(match[3]), folded=bool(match[4]), layers=layers
    )


def encode(tensors: Tensors, settings: Settings) -> dict[str, Coded]:
    """Encode the weights of layers as indices of centroids; batch normalisation is kept.

    Args:
        tensors: by name, as a state dict has them.
        settings: with the clusters of each layer, where a budget has chosen them.

    Raises:
        ValueError: a name that is no weight, what the method refuses, or a budget without a choice; names the layer.
    """
    clusters = _clusters(tensors, settings)
    weights = [name for name in tensors if is_weight(name, tensors)]
    unknown = [name for name in clusters if name not in weights]
    if unknown:
        raise ValueError(f"no weights of a layer called {', '.join(unknown)}; there are: {', '.join(weights)}")
    if settings.one_bias:
        clusters |= {name: 1 for name in tensors if is_bias(name, tensors)}
    method = METHODS[settings.method]
    found = {}
    for name, tensor in tensors.items():
        try:
            found[name] = coded(method(tensor, clusters[name])) if name in clusters else kept(tensor)
        except ValueError as error:
            raise ValueError(f"layer {name}: {error}") from error
    return found


def check_layers(tensors: Tensors, settings: Settings) -> None:
    """Refuse names of layers that a network does not have.

    Raises:
        ValueError: no layer of that name, or none that would be smaller; names those that there are.
    """
    _clusters(tensors, settings)


def coded(clustered: Clustered) -> Coded:
    """A layer's clusters as a coded tensor."""
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
    """Bytes that a layer of so many weights takes in a packed file: its centroids and its codes."""
    return FLOAT_BYTES * clusters + packed_size(weights, index_bits(clusters))


def saves(weights: int, clusters: int) -> bool:
    """Whether a layer with its table of centroids takes less than in float32."""
    return clusters <= weights and stored_bytes(weights, clusters) < FLOAT_BYTES * weights


def _clusters(tensors: Tensors, settings: Settings) -> dict[str, int]:
    """Clusters of each weight that is quantised, by its name."""
    if not isinstance(settings.clusters, int):
        return dict(settings.clusters)
    if settings.within is not None:
        raise ValueError("wanted the centroids of each layer, which validation images choose; got one number for all")
    weights = [name for name in tensors if is_weight(name, tensors)]
    if not settings.layers:
        return {name: settings.clusters for name in weights if saves(tensors[name].size, settings.clusters)}
    found: dict[str, int] = {}
    for part in settings.layers:
        named = [name for name in weights if f".{part}." in f".{name}"]
        smaller = [name for name in named if saves(tensors[name].size, settings.clusters)]
        if not smaller:
            why = f"none that {settings.clusters} centroids make smaller" if named else "no such layer"
            there = ", ".join(name.removesuffix(".weight") for name in weights)
            raise ValueError(f"wanted layers called {part} or below it, got {why}; there are: {there}")
        found |= dict.fromkeys(smaller, settings.clusters)
    return found


def _method(suffix: str | None) -> str:
    return suffix[1:] if suffix else "population"
