"""How a network answers validation images once some of its weights are changed: what the choice of centroids asks."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tasks.compression.codecs.centroid import Settings
from tasks.compression.layer_choice import Choice, Judged, choose
from tasks.compression.packing import as_stored, tensors_of
from tasks.compression.storage import Storage
from tasks.early_exits.cascade import cascade_of
from tasks.early_exits.policy import HeadAnswers, follow
from tasks.early_exits.training import answers_of
from tasks.normalised import Normalised

MOST_IMAGES = 1000  # more would tell points apart by less than a tenth, and take that much longer
# Each how many-th image judges single layers: they take most evaluations, and set the order of what whole networks try.
_SCOUTED = 3
ANSWER = "answer"  # what users get: of a cascade, by its exit policy
_BATCH = 8  # images; measured on fire:gwap, an AMD EPYC: 3.2 ms an image, against 3.8 by four and 5.1 by fifty


class ValidationJudge:
    """Judges a network with some tensors replaced; the network itself stays as it is.

    A network with early exits answers in several ways: by its policy, and by each head alone. All are judged, so that
    no head breaks behind the others.

    What lies before the first changed layer is not computed again where the layers follow one another, as in a
    Sequential or a cascade, and the changes move on in their order.

    Args:
        network: sealed, on the CPU; it is set to eval mode.
        images: uint8 (n, C, S, S), of the validation part.
        labels: int64 (n,).

    Raises:
        ValueError: no images.
    """

    def __init__(self, network: Normalised, images: Tensor, labels: NDArray[np.int64]) -> None:
        if len(labels) == 0:
            raise ValueError("wanted validation images to choose centroids by, got none")
        self._network, self._images, self._labels = network.eval(), images, labels
        self._parameters = dict(network.named_parameters())
        self._steps = _steps(network)
        places = {id(p): place for place, (layer, _) in reversed([*enumerate(self._steps)]) for p in layer.parameters()}
        self._places = {name: places.get(id(p), 0) for name, p in self._parameters.items()}
        self._restart()
        self._before = [torch.log_softmax(head, 1) for head in self._logits()]

    @torch.inference_mode()
    def __call__(self, changed: Mapping[str, NDArray[np.float32]]) -> Judged:
        """The network once these of its tensors are replaced, float32 by their names in its state dict."""
        self._advance(min((self._places[name] for name in changed), default=0))
        kept = {name: self._parameters[name].clone() for name in changed}
        try:
            for name, values in changed.items():
                self._parameters[name].copy_(torch.from_numpy(values))
            logits = self._logits()
        finally:
            for name, value in kept.items():
                self._parameters[name].copy_(value)
        moved = [
            _divergence(before, torch.log_softmax(now, 1)) for before, now in zip(self._before, logits, strict=True)
        ]
        right = {way: classes == self._labels for way, classes in self._classes(logits).items()}
        return Judged(right, sum(moved) / len(moved))

    def _restart(self) -> None:
        self._at = 0
        self._done: list[list[Tensor]] = []
        self._maps = [self._network.normalise(images) for images in torch.split(self._images, _BATCH)]

    def _advance(self, place: int) -> None:
        """Compute what lies before a step, and keep it."""
        if place < self._at:
            self._restart()
        if place > self._at:
            heads = self._through(self._at, place, keep=True)
            self._done += [parts for parts in heads if parts]
            self._at = place

    @torch.inference_mode()
    def _logits(self) -> list[Tensor]:
        """Logits (n, classes) of each head, from what is kept on."""
        heads = self._through(self._at, len(self._steps))
        return [torch.cat(parts).float() for parts in (*self._done, *heads) if parts]

    def _through(self, first: int, last: int, keep: bool = False) -> list[list[Tensor]]:
        """What each step from ``first`` on gives that is a head, batch by batch; ``keep`` moves the kept maps on."""
        heads: list[list[Tensor]] = [[] for _ in self._steps[first:last]]
        for number, kept in enumerate(self._maps):
            maps = kept.clone()  # layers may work in place
            for parts, (layer, head) in zip(heads, self._steps[first:last], strict=True):
                if head:
                    parts.append(layer(maps))
                else:
                    maps = layer(maps)
            if keep:
                self._maps[number] = maps
        return heads

    def _classes(self, logits: list[Tensor]) -> dict[str, NDArray[np.int32]]:
        """The class of each image, by every way of answering."""
        cascade = cascade_of(self._network)
        if cascade is None:
            return {ANSWER: logits[0].argmax(1).int().numpy()}
        scaled = zip(logits, cascade.policy.temperatures, strict=True)
        found = HeadAnswers(*(part.numpy() for part in answers_of(tuple(torch.softmax(z / t, 1) for z, t in scaled))))
        heads = {name: found.top[:, number] for number, name in enumerate(cascade.heads)}
        return {ANSWER: follow(cascade.policy, cascade.heads, found)[0], **heads}


def settle(
    network: Normalised, storage: Storage, channels: int, size: int, images: Tensor, labels: NDArray[np.int64]
) -> tuple[Storage, Choice]:
    """A storage that is chosen within a budget, with the centroids of each layer, and how they were chosen.

    Args:
        network: trained and sealed, on the CPU.
        storage: with a budget.
        channels: of its input.
        size: of its input, side in pixels.
        images: uint8 (n, channels, size, size), of the validation part.
        labels: int64 (n,).

    Raises:
        ValueError: no images, or weights that cannot be clustered; names the layer.
    """
    settings = storage.settings
    assert isinstance(settings, Settings)
    assert settings.within is not None
    plain = as_stored(network, storage, channels, size)
    judge, scout = (ValidationJudge(plain, images[::each], labels[::each]) for each in (1, _SCOUTED))
    found = choose(tensors_of(plain), judge, settings.within, settings.method, scout)
    return replace(storage, settings=replace(settings, clusters=found.clusters)), found


def _steps(network: Normalised) -> list[tuple[nn.Module, bool]]:
    """The layers in their order, and whether each is a head: then maps go past it, and its output are logits."""
    cascade = cascade_of(network)
    if cascade is None:
        return [*((layer, False) for layer in _parts(network.network)), (nn.Identity(), True)]
    found = []
    for name in cascade.heads:
        found += [(layer, False) for layer in _parts(cascade.stage_layers(name))]
        found.append((cascade.head_layers(name), True))
    return found


def _parts(layers: nn.Module) -> list[nn.Module]:
    return list(layers) if type(layers) is nn.Sequential else [layers]  # others may do more than pass maps on


def _divergence(before: Tensor, now: Tensor) -> float:
    """Mean Kullback-Leibler divergence of probabilities from those before, both given as logarithms (n, classes)."""
    return float((before.exp() * (before - now)).sum(1).mean())
