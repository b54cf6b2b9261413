"""Ways to store a trained network, by the names that follow a system's: ``u8-4``, ``c32``, ``c-within1``."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

Steps = Literal["layer", "rows", "channel"]

_UNIFORM = re.compile(r"u([2-8])-([2-8])(?:-(rows|channel))?(-folded)?")
_LAYERS = r"[A-Za-z0-9_.]+(?:-[A-Za-z0-9_.]+)*"
_CENTROID = re.compile(rf"c(1|2|4|8|16|32|64|128|256)(-width|-kmeans)?(-bias1)?(-folded)?(?:-of-({_LAYERS}))?")
_WORDS = {"width", "kmeans", "bias1", "folded", "of", "retrained", "conventional", "on"}
_WITHIN = re.compile(r"c-within((?:0|[1-9]\d?)(?:\.\d?[1-9])?)(-width|-kmeans)?(-folded)?")
_LEARNED = re.compile(r"(.+?)-(?:conventional|(retrained)(?:-on-([a-z0-9]+(?:-[a-z0-9]+)*))?)")
KNOWN = (
    "uA-B[-rows|-channel][-folded] (A bits a weight of convolutions, B of fully connected layers, 2 to 8; a step for "
    "each output of fully connected layers, or for each output channel of all, instead of one a layer; batch "
    "normalisation folded into convolutions), such as u8-4",
    "cK[-width|-kmeans][-bias1][-folded][-of-LAYER-LAYER…] (K centroids a layer: 1, 2, 4 … 256; clusters of equal "
    "width or by k-means instead of equal population; all biases at one centroid; weights of the named layers alone, "
    "or of all below a named block, in alphabetical order), such as c32 or c256-of-layer3-layer4",
    "c-withinP[-width|-kmeans][-folded] (centroids chosen layer by layer: the smallest file found that loses at most P "
    "points of accuracy on validation images, at 95 % confidence), such as c-within1 or c-within0.5",
    "any of them with -retrained (what is left in float32 then learns its parent's answers to images without labels) "
    "or -conventional (it learns the labels), such as c4-retrained; -retrained-on-NAME: on the images of another data "
    "set, which --unlabelled names",
)


@dataclass(frozen=True)
class Storage:
    """How a network is stored.

    Attributes:
        name: as system names spell it.
        kind: ``uniform`` or ``centroid``.
        bits: of a weight of convolutions, and of fully connected layers; where uniform.
        clusters: of each layer, or of those that are named alone; where centroid.
        method: of clustering.
        steps: what has a step of its own, see ``uniform.encode``; where uniform.
        one_bias: biases at one centroid; where centroid.
        layers: names, or dotted parts of names, of the layers that are quantised; empty for all; where centroid.
        folded: batch normalisation is folded into the convolutions first.
        within: points of accuracy within which validation images choose the clusters of each layer; None where they
            are the same for all.
        learned: how the tensors that are left in float32 learn afterwards; empty where they do not.
        images: whose images without labels they learn from; empty for those of the training part.
    """

    name: str
    kind: Literal["uniform", "centroid"]
    bits: tuple[int, int] = (8, 4)
    clusters: int | Mapping[str, int] = 256
    method: str = "population"
    steps: Steps = "layer"
    one_bias: bool = False
    layers: tuple[str, ...] = ()
    folded: bool = False
    within: float | None = None
    learned: Literal["", "retrained", "conventional"] = ""
    images: str = ""


def parse_storage(name: str) -> Storage | None:
    """The storage of this name; None where there is none."""
    if match := _LEARNED.fullmatch(name):
        stored = parse_storage(match[1])
        if stored is None or stored.learned:
            return None
        return replace(stored, name=name, learned=match[2] or "conventional", images=match[3] or "")  # type: ignore[arg-type]
    if match := _UNIFORM.fullmatch(name):
        bits = int(match[1]), int(match[2])
        return Storage(name, "uniform", bits=bits, steps=match[3] or "layer", folded=bool(match[4]))  # type: ignore[arg-type]
    if match := _CENTROID.fullmatch(name):
        layers = tuple(match[5].split("-")) if match[5] else ()
        if list(layers) != sorted(set(layers) - _WORDS):  # one name for each storage, and no option taken for a layer
            return None
        return Storage(
            name, "centroid", clusters=int(match[1]), method=_method(match[2]), one_bias=bool(match[3]),
            folded=bool(match[4]), layers=layers,
        )  # fmt: skip
    if match := _WITHIN.fullmatch(name):
        return Storage(name, "centroid", method=_method(match[2]), folded=bool(match[3]), within=float(match[1]))
    return None


def _method(suffix: str | None) -> str:
    return suffix[1:] if suffix else "population"
