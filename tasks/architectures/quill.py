"""Quill: a small residual network for thousands of characters, designed here for CPU latency and stored bytes."""

from torch import Tensor, nn

from tasks.architectures._checks import check_variant, fitted, output_shape
from tasks.architectures._layers import add_layers, convolution
from tasks.architectures.fire import GlobalWeightedPool

SOURCE = "designed in this suite for CPU latency and bytes; no paper"
VARIANTS = ()
INPUT = (1, 48)
LAYOUT = "channels_last"
CPU_TRAINING = "fp32"
RECIPE = {"light": {"batch": 128}}

# Output channels of the stages and the number of residual blocks in each. Every stage halves the maps, 48 pixels to 24,
# 12 and 6, so that the blocks run on small maps with many channels.
_STAGES = ((24, 0), (48, 2), (96, 1))
# The classifier has this many weights per class and is more than half of the file at 3,755 classes, so the features
# that it sees are few, but may be more than the last stage's.
_FEATURES = 128


class Residual(nn.Module):
    """Two 3x3 convolutions whose result is added to their input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = convolution(channels, channels, 3)
        self.second = convolution(channels, channels, 3, activation=nn.Identity)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, maps: Tensor) -> Tensor:
        """Float (B, channels, H, W) -> the same shape."""
        return self.relu(maps + self.second(self.first(maps)))  # type: ignore[no-any-return]


def build(variant: str, classes: int, channels: int, size: int) -> nn.Module:
    """The network for ``classes`` characters."""
    check_variant(variant, VARIANTS)
    network, inputs = nn.Sequential(), channels
    for number, (width, blocks) in enumerate(_STAGES, 1):
        network.add_module(f"down{number}", convolution(inputs, width, 3, stride=2))
        for block in range(1, blocks + 1):
            network.add_module(f"block{number}_{block}", Residual(width))
        inputs = width
    network.add_module("features", convolution(inputs, _FEATURES, 1))
    features, side, _ = output_shape(network, channels, size)
    add_layers(network, pool=GlobalWeightedPool(features, side), flatten=nn.Flatten())
    network.add_module("classifier", nn.Linear(features, classes))
    return fitted(network, channels, size)
