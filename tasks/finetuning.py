"""Fine-tuning: starts a network from the trained weights of the same architecture, for the same or other classes."""

from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from datamodules._characters import Characters
from tasks.building import outlined
from tasks.early_exits.cascade import cascade_of
from tasks.normalised import Normalised
from tasks.recogniser import Recogniser, renamed

# Logit of a new class for the mean of its training images, where the mean of all classes has 0. Not tuned: large enough
# to answer at once, small enough to leave the loss a gradient.
IMPRINTED_LOGIT = 12.0
IMPRINTED_ON = 64  # images of a class, at most: bounds the time


def start_from(
    network: Normalised, architecture: str, labels: Sequence[str], weights: Path, weights_labels: Sequence[str]
) -> list[int]:
    """Copy trained weights into a network of the same architecture.

    Tensors that do not depend on the classes are copied; those with a row for each class, such as the classifier's, row
    by row for the labels that both have.

    Returns: the labels, by index, whose rows the weights do not have.

    Raises:
        ValueError: weights of another architecture or input size.
    """
    stored, wanted = renamed(load_file(weights), network), network.state_dict()
    of_classes = _of_classes(architecture, len(labels))
    rows = {label: row for row, label in enumerate(weights_labels)}
    known = [(index, rows[label]) for index, label in enumerate(labels) if label in rows]
    for name, target in wanted.items():
        if name not in stored:
            raise ValueError(f"{weights}: not weights of {architecture}: it lacks {name}")
        if name not in of_classes:
            if stored[name].shape != target.shape:
                got = f"{tuple(stored[name].shape)} instead of {tuple(target.shape)}"
                raise ValueError(f"{weights}: not weights of {architecture}: {name} is {got}")
            target.copy_(stored[name])
        elif known and target.shape[1:] == stored[name].shape[1:] and len(target) == len(labels):
            here, there = zip(*known, strict=True)
            target[list(here)] = stored[name][list(there)]
    return [index for index, label in enumerate(labels) if label not in rows]


def imprint(network: Normalised, channels: int, size: int, train: Characters, labels: Sequence[int]) -> None:
    """Set the classifier's weights of new classes to the mean features of their training images, less those of all.

    At most IMPRINTED_ON images of each class are used; a class without images keeps its random weights.

    Nothing is done for networks that do not end in one linear layer of all classes.

    Source: Qi, Brown, Lowe: Low-shot learning with imprinted weights, arXiv:1712.07136.
    """
    linear = [module for module in network.modules() if isinstance(module, nn.Linear)]
    shown = [label for label in labels if (train.labels == label).any()]
    if not shown or not linear or cascade_of(network) is not None or max(shown) >= linear[-1].out_features:
        return
    classifier, means = linear[-1], []
    recogniser = Recogniser(network, channels, size)  # puts the network into eval mode
    with torch.no_grad():
        for label in shown:
            indices = (train.labels == label).nonzero()[0][:IMPRINTED_ON]
            images = torch.cat([recogniser.preprocess(train.image(int(index))) for index in indices])
            means.append(_features(network, classifier, images).mean(0))
        centre = torch.stack(means).mean(0)
        away = torch.stack(means) - (centre if len(means) > 1 else 0)
        weights = IMPRINTED_LOGIT * away / away.square().sum(1, keepdim=True).clamp_min(1e-12)
        classifier.weight[shown] = weights
        if classifier.bias is not None:
            classifier.bias[shown] = -weights @ centre if len(means) > 1 else 0.0
    network.train()


def _features(network: nn.Module, classifier: nn.Linear, images: Tensor) -> Tensor:
    """What the classifier takes for images, float (B, features)."""
    seen: list[Tensor] = []
    hook = classifier.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach()))
    try:
        network(images)
    finally:
        hook.remove()
    return seen[0]


def _of_classes(architecture: str, classes: int) -> set[str]:
    """Names of the tensors whose shape depends on the number of classes."""
    one, other = (outlined(architecture, number) for number in (classes, classes + 1))
    assert one is not None
    assert other is not None
    other_tensors = other.state_dict()
    return {name for name, value in one.state_dict().items() if value.shape != other_tensors[name].shape}
