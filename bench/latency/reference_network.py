"""The frozen reference network that every latency is compared with.

Never change it, its weights or its input: only because it is constant can ratios of different days and versions be
compared. If a change is unavoidable, bump the VERSION of every measurement that uses it.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

_SEED = 1  # of weights and input; they do not affect the time, as long as no value is denormal
_CLASSES = 100


def reference() -> Callable[[Tensor], Tensor]:
    """A small convolutional classifier in eager mode: 8.4 million multiply-adds, about half a millisecond.

    Returns: a function from the network's input, float (1, 1, 64, 64), to probabilities, float (1, 100). It has no
        preprocessing, so changes of the suite's preprocessing do not affect it.
    """
    network = _network()

    def classify(image: Tensor) -> Tensor:
        with torch.inference_mode():
            return torch.softmax(network(image), 1)

    return classify


def reference_input() -> Tensor:
    """The constant input of the reference, float (1, 1, 64, 64), values from 0 to 1."""
    return torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(_SEED))


def _network() -> nn.Module:
    network = nn.Sequential(
        nn.Conv2d(1, 16, 3, stride=2, padding=1), nn.BatchNorm2d(16), nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(),
        nn.Conv2d(32, 32, 3, stride=2, padding=1), nn.ReLU(),
        nn.Conv2d(32, 64, 3, stride=2, padding=1), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, _CLASSES),
    )  # fmt: skip
    generator = torch.Generator().manual_seed(_SEED)
    for layer in network:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            assert layer.bias is not None
            fan_in = layer.weight[0].numel()
            std = (2 / fan_in) ** 0.5  # keeps activations near 1: none is denormal
            nn.init.normal_(layer.weight, std=std, generator=generator)
            nn.init.zeros_(layer.bias)
    return network.eval()
