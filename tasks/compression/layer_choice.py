"""Which layers to quantise, and to how many centroids: the fewest bytes within a budget of lost accuracy.

Source: quant-retrain, section III.B: sweep each layer alone, then quantise those that save much and lose little.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tasks.compression.clustering import CLUSTERS, METHODS, Clustered
from tasks.compression.codecs._base import Tensors, is_weight
from tasks.compression.codecs.centroid import FLOAT_BYTES, stored_bytes

# Standard errors added to what whole networks lose: a one-sided bound of 95 %, for some hundred validation images are
# few, and easier. On fire:gwap, 700 images of hwdb100, a choice within 1 point lost 0.83 on the test part with it, 1.27
# with 1.0, and 2.1 with none where single steps went on as well. That these were seen makes hwdb100 no proof of it.
MARGIN = 1.645


@dataclass(frozen=True, eq=False)
class Judged:
    """How a network answers a fixed set of validation images.

    Attributes:
        correct: which it classifies correctly, bool (images,), by each way of answering: ``answer``, and every head
            where there are several.
        changed: how far its probabilities are from those of the network as trained: mean Kullback-Leibler divergence,
            nats. It says what a count of a few hundred images is too coarse for: which of two changes is the smaller.
    """

    correct: Mapping[str, NDArray[np.bool_]]
    changed: float


Judge = Callable[[Tensors], Judged]  # what the network is once these of its tensors are replaced


@dataclass(frozen=True)
class Option:
    """One layer at so many centroids, all others as trained.

    Attributes:
        clusters: centroids.
        size: bytes of its codes and centroids.
        lost: points of accuracy, by the way of answering that loses most; below 0 where all gain.
        changed: as of Judged.
    """

    clusters: int
    size: int
    lost: float
    changed: float


@dataclass(frozen=True, eq=False)
class Choice:
    """What was chosen, and all that was seen on the way.

    Attributes:
        clusters: centroids of each layer that is quantised.
        sweep: the options of every layer, most centroids first, down to the first that alone loses too much.
        swept: images that these were judged on.
        before: the network as trained.
        after: the network as chosen.
        evaluations: how often the network was judged.
    """

    clusters: Mapping[str, int]
    sweep: Mapping[str, Sequence[Option]]
    swept: int
    before: Judged
    after: Judged
    evaluations: int

    def as_dict(self) -> dict[str, Any]:
        """As a record states it: no number of clusters for layers left in float32, and losses in four digits."""
        ways = self.before.correct.items()
        return {
            "clusters": {name: self.clusters.get(name) for name in self.sweep},
            "validation": {
                "images": len(next(iter(self.before.correct.values()))),
                "accuracy": {way: float(right.mean()) for way, right in ways},
                "lost": {way: _points(right, self.after.correct[way]) for way, right in ways},
                "lost_and_margin": points_lost(self.before, self.after, MARGIN), "margin": MARGIN,
            },
            "evaluations": self.evaluations, "sweep_images": self.swept,
            "sweep": {
                name: [
                    {"clusters": o.clusters, "bytes": o.size, "lost": _short(o.lost), "changed": _short(o.changed)}
                    for o in options
                ]
                for name, options in self.sweep.items()
            },
        }  # fmt: skip


def choose(
    tensors: Tensors, judge: Judge, budget: float, method: str = "population", scout: Judge | None = None
) -> Choice:
    """The clusters of each layer that take the fewest bytes found, within a budget.

    First every layer is swept alone, from 256 centroids down to the first number that loses more than the budget. The
    sweep orders all steps of all layers by how far they change the answers for each byte that they save. As losses do
    not add up, whole networks then say how many of these steps the budget bears, with MARGIN standard errors to spare:
    a dozen of them or so, by bisection. The same answers give the same choice.

    Args:
        tensors: of the network, by name, as a state dict has them; the weights of its layers are what may be chosen.
        judge: answers validation images; the test part must not be among them.
        budget: points of accuracy, per cent of the images, that each way of answering may lose at most; 0 or more.
        method: of clustering.
        scout: judges the single layers of the sweep, on fewer of the images, say; None for the judge itself.

    Raises:
        ValueError: a budget below 0, or weights that the method refuses; names the layer.
    """
    if not budget >= 0:
        raise ValueError(f"wanted a budget of 0 points or more, got {budget}")
    layers = _Layers(tensors, judge, scout or judge, method)
    before = layers.judged({})
    first = before if scout is None else layers.scouted({})
    sweep = {name: _options(layers, name, first, budget) for name in layers.weights}
    steps = _steps({name: FLOAT_BYTES * layers.weights[name].size for name in sweep}, sweep, budget)
    good, bad, after = 0, len(steps) + 1, before
    while bad - good > 1:
        middle = (good + bad) // 2
        judged = layers.judged(_taken(steps[:middle]))
        if points_lost(before, judged, MARGIN) <= budget:
            good, after = middle, judged
        else:
            bad = middle
    swept = len(next(iter(first.correct.values())))
    return Choice(_taken(steps[:good]), sweep, swept, before, after, layers.evaluations)


def points_lost(before: Judged, after: Judged, margin: float = 0.0) -> float:
    """Points of accuracy that the way of answering loses which loses most, and so many standard errors of them."""
    return max(_points(right, after.correct[way], margin) for way, right in before.correct.items())


class _Layers:
    """The weights of a network's layers, and the network with some of them as clusters."""

    def __init__(self, tensors: Tensors, judge: Judge, scout: Judge, method: str) -> None:
        self.weights = {name: tensor for name, tensor in tensors.items() if is_weight(name, tensors)}
        self.evaluations = 0
        self._judge, self._scout, self._method = judge, scout, METHODS[method]
        self._clustered: dict[tuple[str, int], Clustered] = {}  # codes and centroids: a quarter of the weights' memory

    def judged(self, clusters: Mapping[str, int]) -> Judged:
        """The network with these layers in so many clusters each."""
        return self._asked(self._judge, clusters)

    def scouted(self, clusters: Mapping[str, int]) -> Judged:
        """The same, by the scout."""
        return self._asked(self._scout, clusters)

    def _asked(self, judge: Judge, clusters: Mapping[str, int]) -> Judged:
        self.evaluations += 1
        return judge({name: self._quantised(name, count) for name, count in clusters.items()})

    def _quantised(self, name: str, clusters: int) -> NDArray[np.float32]:
        if (name, clusters) not in self._clustered:
            try:
                self._clustered[name, clusters] = self._method(self.weights[name], clusters)
            except ValueError as error:
                raise ValueError(f"layer {name}: {error}") from error
        return self._clustered[name, clusters].weights


class _Step(NamedTuple):
    """A layer goes on to fewer centroids; ``slope`` is how far that changes answers for each byte saved."""

    slope: float
    place: int
    layer: str
    clusters: int


def _options(layers: _Layers, name: str, before: Judged, budget: float) -> list[Option]:
    """One layer at ever fewer centroids, as far as the budget goes and one beyond."""
    weights = layers.weights[name].size
    found: list[Option] = []
    for clusters in reversed(CLUSTERS):
        size = stored_bytes(weights, clusters)
        if clusters <= weights and size < FLOAT_BYTES * weights:
            judged = layers.scouted({name: clusters})
            found.append(Option(clusters, size, points_lost(before, judged), judged.changed))
            if found[-1].lost > budget:
                break  # with fewer centroids it loses more
    return found


def _steps(floats: Mapping[str, int], sweep: Mapping[str, Sequence[Option]], budget: float) -> list[_Step]:
    """The steps of all layers, those first that change the answers least for each byte; a layer's own in their order.

    Args:
        floats: bytes of each layer in float32.
        sweep: options of each layer.
        budget: options that alone lose more are no steps.
    """
    found = []
    for place, (name, options) in enumerate(sweep.items()):
        size, changed, slope = floats[name], 0.0, 0.0
        # By chance fewer centroids may change less; that is not counted on.
        levels = accumulate((option.changed for option in options), max)
        left = [(o.size, level, o.clusters) for o, level in zip(options, levels, strict=True) if o.lost <= budget]
        while left:  # along the lower convex hull of change over bytes
            best = min(left, key=lambda one: ((one[1] - changed) / (size - one[0]), one[0]))
            slope = max(slope, (best[1] - changed) / (size - best[0]))
            found.append(_Step(slope, place, name, best[2]))
            size, changed, _ = best
            left = [one for one in left if one[0] < size]
    return sorted(found, key=lambda step: (step.slope, step.place, -step.clusters))


def _taken(steps: Sequence[_Step]) -> dict[str, int]:
    """Centroids of each layer after these steps: its last one counts."""
    return {step.layer: step.clusters for step in steps}


def _points(before: NDArray[np.bool_], after: NDArray[np.bool_], margin: float = 0.0) -> float:
    """Points lost, from pairs of answers; the standard error is that of the difference of the two counts."""
    lost, gained = int((before & ~after).sum()), int((after & ~before).sum())
    return 100 * (lost - gained + margin * math.sqrt(lost + gained)) / len(before)


def _short(value: float) -> float:
    return float(f"{value:.4g}")
