"""CNN9Layer: seven convolutions and two fully connected layers, plain or with low-rank (split) convolutions."""

from torch import nn

from tasks.architectures._checks import check_variant, fitted, output_shape
from tasks.architectures._layers import add_layers

SOURCE = "Xiao et al.: Building fast and compact CNNs for offline HCCR, arXiv:1702.07975"
VARIANTS = ("plain", "lowrank")
INPUT = (1, 96)  # arXiv:1702.07975; fire-hccr, Table 5
# Measured on an AMD EPYC with AVX-512, batch 1, one thread: 17.0 ms in channels last, 29.0 ms contiguous (plain);
# 8.5 and 19.0 ms (lowrank).
LAYOUT = "channels_last"
# Same CPU, training step of 16 images, channels last: bfloat16 is 1.63 (lowrank) to 1.78 times (plain) as fast as
# float32.
CPU_TRAINING = "bf16"
RECIPE = {
    "light": {},
    # The paper's own training protocol is not available: this is fire-hccr's, section 4.2, on the same data, with its
    # 40 passes and no augmentation.
    "paper": {
        "optimizer": "sgd", "lr": 0.1, "momentum": 0.9, "weight_decay": 1e-5, "schedule": "plateau", "gamma": 0.1,
        "batch": 256, "epochs": 40, "augmentation": {},
    },
}  # fmt: skip

# The authors' published parameters: (name, maps, rank) of each 3x3 convolution; the first one is never split.
_CONVOLUTIONS = (
    ("conv1", 96, None), ("conv2", 128, 40), ("conv3", 160, 51), ("conv4_1", 256, 69), ("conv4_2", 256, 89),
    ("conv5_1", 384, 102), ("conv5_2", 384, 123),
)  # fmt: skip
# The authors' published parameters: a 3x3 maximum with stride 2, its size rounded up, follows these.
_POOLED = ("conv1", "conv2", "conv3", "conv4_2", "conv5_2")
_HIDDEN = 1024  # the authors' published parameters
_DROPOUT = 0.5  # before the classifier; fire-hccr, section 4.2


def build(variant: str, classes: int, channels: int, size: int) -> nn.Module:
    """Sides 96-48-24-12-6-3; 594 million multiply-adds at 3,755 classes (``plain``), 152 million (``lowrank``).

    ``plain`` is the network before compression. ``lowrank`` replaces each 3x3 convolution except the first by a 3x1
    convolution to its rank and a 1x3 convolution back; normalisation and PReLU follow only the second. The pruning
    that shrinks the network to 2.3 MB is not included.
    """
    check_variant(variant, VARIANTS)
    network = nn.Sequential()
    inputs = channels
    for name, maps, rank in _CONVOLUTIONS:
        if variant == "plain" or rank is None:
            network.add_module(name, nn.Conv2d(inputs, maps, 3, padding=1, bias=False))
        else:
            network.add_module(f"{name}_down", nn.Conv2d(inputs, rank, (3, 1), padding=(1, 0)))
            network.add_module(f"{name}_across", nn.Conv2d(rank, maps, (1, 3), padding=(0, 1), bias=False))
        add_layers(network, **{f"norm_{name}": nn.BatchNorm2d(maps), f"prelu_{name}": nn.PReLU(maps)})
        if name in _POOLED:
            network.add_module(f"pool_{name}", nn.MaxPool2d(3, 2, ceil_mode=True))
        inputs = maps
    network.add_module("flatten", nn.Flatten())
    (features,) = output_shape(network, channels, size)
    hidden = nn.Linear(features, _HIDDEN, bias=False)
    add_layers(network, hidden=hidden, norm_hidden=nn.BatchNorm1d(_HIDDEN), prelu_hidden=nn.PReLU(_HIDDEN))
    add_layers(network, dropout=nn.Dropout(_DROPOUT), classifier=nn.Linear(_HIDDEN, classes))
    return fitted(network, channels, size)
