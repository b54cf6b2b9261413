"""Evaluates a network with replaced weights on validation images, to choose the number of centroids per layer."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tasks.compression.codecs.centroid import Settings
from tasks.compression.layer_choice import Choice, Evaluation, choose
from tasks.compression.packing import as_stored, tensors_of
from tasks.compression.storage import Storage
from tasks.early_exits.cascade import cascade_of
from tasks.early_exits.policy import HeadAnswers, follow
from tasks.early_exits.training import answers_of
from tasks.normalised import Normalised

MOST_IMAGES = 1000  # more images would change a loss by less than a tenth of a point, and take longer in proportion
# Every third image serves the sweep of single layers: it takes most evaluations, but only sorts the steps that whole
# networks then try.
_SWEEP_EVERY = 3
ANSWER = "answer"  # the class that users get; of a cascade, by its exit policy
_BATCH = 8  # images; measured on fire:gwap, AMD EPYC: 3.2 ms per image, against 3.8 in batches of 4 and 5.1 of 50


class ValidationEvaluator:
    """Evaluates a network with some tensors replaced; the network itself does not change.

    With early exits, both the answer of the policy and each head alone are evaluated, so that no broken head goes
    unnoticed.

    If the layers form a sequence, as in a Sequential or a cascade, and calls replace them from first to last, the
    layers before the first replaced one are not computed again.

    Args:
        network: with its normalisation sealed inside, on the CPU; it is set to eval mode.
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
    def __call__(self, replaced: Mapping[str, NDArray[np.float32]]) -> Evaluation:
        """Evaluate with these tensors replaced, float32 by their names in the state dict."""
        self._advance(min((self._places[name] for name in replaced), default=0))
        originals = {name: self._parameters[name].clone() for name in replaced}
        try:
            for name, values in replaced.items():
                self._parameters[name].copy_(torch.from_numpy(values))
            logits = self._logits()
        finally:
            for name, value in originals.items():
                self._parameters[name].copy_(value)
        after = (torch.log_softmax(head, 1) for head in logits)
        # Mean Kullback-Leibler divergence of each head.
        changed = [float((p.exp() * (p - q)).sum(1).mean()) for p, q in zip(self._before, after, strict=True)]
        correct = {head: classes == self._labels for head, classes in self._classes(logits).items()}
        return Evaluation(correct, sum(changed) / len(changed))

    def _restart(self) -> None:
        self._at = 0
        self._done: list[list[Tensor]] = []
        self._maps = [self._network.normalise(images) for images in torch.split(self._images, _BATCH)]

    def _advance(self, place: int) -> None:
        """Compute the maps before a step, and cache them."""
        if place < self._at:
            self._restart()
        if place > self._at:
            heads = self._through(self._at, place, cache=True)
            self._done += [parts for parts in heads if parts]
            self._at = place

    @torch.inference_mode()
    def _logits(self) -> list[Tensor]:
        """Logits (n, classes) of each head, computed from the cached maps."""
        heads = self._through(self._at, len(self._steps))
        return [torch.cat(parts).float() for parts in (*self._done, *heads) if parts]

    def _through(self, first: int, last: int, cache: bool = False) -> list[list[Tensor]]:
        """Logits of each batch for each step that is a head; ``cache`` stores the maps after step ``last``."""
        heads: list[list[Tensor]] = [[] for _ in self._steps[first:last]]
        for number, cached in enumerate(self._maps):
            maps = cached.clone()  # layers may work in place
            for parts, (layer, head) in zip(heads, self._steps[first:last], strict=True):
                if head:
                    parts.append(layer(maps))
                else:
                    maps = layer(maps)
            if cache:
                self._maps[number] = maps
        return heads

    def _classes(self, logits: list[Tensor]) -> dict[str, NDArray[np.int32]]:
        """The class of each image, by the policy and by each head."""
        cascade = cascade_of(self._network)
        if cascade is None:
            return {ANSWER: logits[0].argmax(1).int().numpy()}
        scaled = zip(logits, cascade.policy.temperatures, strict=True)
        answers = HeadAnswers(*(part.numpy() for part in answers_of(tuple(torch.softmax(z / t, 1) for z, t in scaled))))
        heads = {name: answers.top[:, number] for number, name in enumerate(cascade.heads)}
        return {ANSWER: follow(cascade.policy, cascade.heads, answers)[0], **heads}


def settle(
    network: Normalised, storage: Storage, channels: int, size: int, images: Tensor, labels: NDArray[np.int64]
) -> tuple[Storage, Choice]:
    """Choose the number of centroids of each layer for a storage with a budget, such as ``c-within1``.

    The network is trained and on the CPU; images, uint8 (n, channels, size, size), and labels, int64 (n,), are of the
    validation part.

    Returns: the storage with the chosen clusters, and the choice.

    Raises:
        ValueError: no images, or weights that cannot be clustered; names the layer.
    """
    settings = storage.settings
    assert isinstance(settings, Settings)
    assert settings.within is not None
    plain = as_stored(network, storage, channels, size)
    evaluate = ValidationEvaluator(plain, images, labels)
    sweep_evaluate = ValidationEvaluator(plain, images[::_SWEEP_EVERY], labels[::_SWEEP_EVERY])
    choice = choose(tensors_of(plain), evaluate, settings.within, settings.method, sweep_evaluate)
    return replace(storage, settings=replace(settings, clusters=choice.clusters)), choice


def _steps(network: Normalised) -> list[tuple[nn.Module, bool]]:
    """The layers in order, and whether each is a head: its output is logits, and the next layer takes its input."""
    cascade = cascade_of(network)
    if cascade is None:
        return [*((layer, False) for layer in _parts(network.network)), (nn.Identity(), True)]
    steps = []
    for name in cascade.heads:
        steps += [(layer, False) for layer in _parts(cascade.stage_layers(name))]
        steps.append((cascade.head_layers(name), True))
    return steps


def _parts(layers: nn.Module) -> list[nn.Module]:
    return list(layers) if type(layers) is nn.Sequential else [layers]  # other modules may not be plain sequences
