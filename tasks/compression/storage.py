"""Ways to store a trained network, by the names that follow a system's: ``u8-4``, ``c32``."""

import re
from dataclasses import dataclass
from typing import Literal

_UNIFORM = re.compile(r"u([2-8])-([2-8])(-channel)?(-folded)?")
_CENTROID = re.compile(r"c(1|2|4|8|16|32|64|128|256)(-width|-kmeans)?(-bias1)?(-folded)?")
KNOWN = (
    "uA-B[-channel][-folded] (A bits a weight of convolutions, B of fully connected layers, 2 to 8; a step for each "
    "output channel; batch normalisation folded into convolutions), such as u8-4",
    "cK[-width|-kmeans][-bias1][-folded] (K centroids a layer: 1, 2, 4 … 256; clusters of equal width or by k-means "
    "instead of equal population; biases at one centroid), such as c32",
)


@dataclass(frozen=True)
class Storage:
    """How a network is stored.

    Attributes:
        name: as system names spell it.
        kind: ``uniform`` or ``centroid``.
        bits: of a weight of convolutions, and of fully connected layers; where uniform.
        clusters: of each layer; where centroid.
        method: of clustering.
        per_channel: a step for each output channel; where uniform.
        one_bias: biases at one centroid; where centroid.
        folded: batch normalisation is folded into the convolutions first.
    """

    name: str
    kind: Literal["uniform", "centroid"]
    bits: tuple[int, int] = (8, 4)
    clusters: int = 256
    method: str = "population"
    per_channel: bool = False
    one_bias: bool = False
    folded: bool = False


def parse_storage(name: str) -> Storage | None:
    """The storage of this name; None where there is none."""
    if match := _UNIFORM.fullmatch(name):
        bits = int(match[1]), int(match[2])
        return Storage(name, "uniform", bits=bits, per_channel=bool(match[3]), folded=bool(match[4]))
    if match := _CENTROID.fullmatch(name):
        method = match[2][1:] if match[2] else "population"
        return Storage(
            name, "centroid", clusters=int(match[1]), method=method, one_bias=bool(match[3]), folded=bool(match[4])
        )
    return None
