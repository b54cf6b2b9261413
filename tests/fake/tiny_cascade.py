"""An architecture with two early exits, small enough to train in a test."""

import torch
from torch import nn

from tasks.early_exits.cascade import Cascade
from tasks.early_exits.policy import ExitPolicy
from tasks.normalised import Normalised

SOURCE = "nowhere"
VARIANTS = ()
INPUT = (1, 16)
LAYOUT = "contiguous"
HEADS = ("one", "two", "last")
RECIPE = {"light": {"heads": {"training": "separate", "share": 0.5}}, "joint": {"heads": {"training": "joint"}}}
WIDTHS = (4, 6, 8)


class TinyCascade(Cascade):
    """Three convolutions with normalisation, a classifier with dropout after each."""

    def __init__(self, classes, channels):
        super().__init__(HEADS, ExitPolicy({"one": 0.98}, average=True))
        inputs = (channels, *WIDTHS)
        self.stages = nn.ModuleDict()
        self.classifiers = nn.ModuleDict()
        for name, before, width in zip(reversed(HEADS), inputs[2::-1], WIDTHS[::-1], strict=True):  # the last first
            self.stages[name] = nn.Sequential(
                nn.Conv2d(before, width, 3, stride=2, padding=1), nn.BatchNorm2d(width), nn.ReLU()
            )
            self.classifiers[name] = nn.Sequential(
                nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Dropout(0.2), nn.Linear(4 * width, classes)
            )

    @property
    def final(self):
        return nn.ModuleDict({"stages": self.stages, "last": self.classifiers["last"]})

    def stage_layers(self, name):
        return self.stages[name]

    def head_layers(self, name):
        return self.classifiers[name]


def build(variant, classes, channels, size):
    return TinyCascade(classes, channels)


def sealed(classes=5, seed=0):
    """A sealed one in eval mode that differs from one as it is made, and is neither sure nor unsure of everything."""
    torch.manual_seed(seed)
    network = Normalised(build("", classes, *INPUT)).train()
    for layer in network.modules():
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=1.5)
    with torch.no_grad():
        for batch in range(40):  # until normalisation knows what comes
            network(noise(64, seed=batch))
    return network.eval()


def noise(count, seed=0):
    """Images of 4x4 grey squares, uint8 (count, 1, 16, 16)."""
    squares = torch.randint(0, 256, (count, 1, 4, 4), generator=torch.Generator().manual_seed(seed)).byte()
    return squares.repeat_interleave(4, 2).repeat_interleave(4, 3)
