"""HCCR with Fire modules on 64x64 characters; the variant says how the last maps become class scores."""

import torch
from torch import Tensor, nn

from tasks.architectures._checks import check_variant, fitted, output_shape
from tasks.architectures._layers import add_layers, convolution

SOURCE = "Li, Teng, Jin, Lu: Building efficient CNN architecture for offline HCCR"
VARIANTS = ("gap", "fc", "gwap")  # fire-hccr, section 4.3
INPUT = (1, 64)  # fire-hccr, section 4.2
# Measured on an AMD EPYC with AVX-512, batch 1, one thread: 4.4 ms in channels last, 6.5 ms contiguous (gwap);
# 4.2 and 6.2 ms (gap); 10.3 and 12.1 ms (fc).
LAYOUT = "channels_last"
# Same CPU, training step of 64 images, channels last: bfloat16 is 1.71 (fc) to 2.09 (gap) times as fast as float32.
CPU_TRAINING = "bf16"
RECIPE = {
    "light": {},
    # fire-hccr, section 4.2; it names no augmentation and no number of epochs: 40 suffice for three cuts of the rate.
    "paper": {
        "optimizer": "sgd", "lr": 0.1, "momentum": 0.9, "weight_decay": 1e-5, "schedule": "plateau", "gamma": 0.1,
        "batch": 256, "epochs": 40, "augmentation": {},
    },
}  # fmt: skip

_STEM = 64  # fire-hccr, Table 1: conv1
# fire-hccr, Table 1: output channels of fire2 to fire9; a squeeze has an eighth of them, each expansion half.
_FIRES = {f"fire{number}": width for number, width in enumerate((128, 128, 256, 256, 384, 384, 512, 512), 2)}
_POOLED = ("conv1", "fire3", "fire5")  # fire-hccr, Table 1: a 2x2 maximum follows
_HIDDEN = 1024  # fire-hccr, section 4.3: HCCR-FC
_DROPOUT = 0.5  # fire-hccr, section 4.2: before the final softmax


class Fire(nn.Module):
    """Squeeze to an eighth of the outputs (a multiple of 8) by 1x1, expand to half of them by 1x1, to half by 3x3."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.squeeze = convolution(inputs, outputs // 8, 1)
        self.expand1 = convolution(outputs // 8, outputs // 2, 1)
        self.expand3 = convolution(outputs // 8, outputs // 2, 3)

    def forward(self, maps: Tensor) -> Tensor:
        """Float (B, inputs, H, W) -> (B, outputs, H, W)."""
        squeezed = self.squeeze(maps)
        return torch.cat([self.expand1(squeezed), self.expand3(squeezed)], 1)


class GlobalWeightedPool(nn.Conv2d):
    """Global weighted average pooling: one weight per channel and position, (B, C, S, S) -> (B, C, 1, 1).

    It is a depthwise convolution whose window is the whole map, so that counters, exporters and quantisers support
    it. It starts as the plain average. Source: fire-hccr, section 3.2.
    """

    def __init__(self, channels: int, side: int) -> None:
        super().__init__(channels, channels, side, groups=channels, bias=False)

    def reset_parameters(self) -> None:
        """Give every position the same weight."""
        nn.init.constant_(self.weight, 1 / self.weight[0].numel())


def build(variant: str, classes: int, channels: int, size: int) -> nn.Module:
    """fire-hccr's network: ``gap`` averages the maps, ``fc`` adds a hidden layer, ``gwap`` weights positions."""
    check_variant(variant, VARIANTS)
    network = trunk(channels)
    features, side, _ = output_shape(network, channels, size)
    if variant == "gap":
        network.add_module("pool", nn.AdaptiveAvgPool2d(1))
    elif variant == "gwap":
        network.add_module("pool", GlobalWeightedPool(features, side))
    network.add_module("flatten", nn.Flatten())
    if variant == "fc":
        add_layers(network, hidden=nn.Linear(features * side * side, _HIDDEN), relu_hidden=nn.ReLU(inplace=True))
        features = _HIDDEN
    add_layers(network, dropout=nn.Dropout(_DROPOUT), classifier=nn.Linear(features, classes))
    return fitted(network, channels, size)


def trunk(channels: int) -> nn.Sequential:
    """The layers of Table 1 under their names: float (B, channels, S, S) -> (B, 512, S/8, S/8)."""
    layers = nn.Sequential()
    add_layers(layers, conv1=convolution(channels, _STEM, 3), pool_conv1=nn.MaxPool2d(2))
    inputs = _STEM
    for name, outputs in _FIRES.items():
        layers.add_module(name, Fire(inputs, outputs))
        if name in _POOLED:
            layers.add_module(f"pool_{name}", nn.MaxPool2d(2))
        inputs = outputs
    return layers
