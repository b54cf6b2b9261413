"""CNN9Layer: seven convolutions and two fully connected layers, plain or with its convolutions split by rank."""

from torch import nn

from tasks.architectures._checks import check_variant, fitted, output_shape

SOURCE = "Xiao et al.: Building fast and compact CNNs for offline HCCR, arXiv:1702.07975"
VARIANTS = ("plain", "lowrank")
INPUT = (1, 96)  # arXiv:1702.07975; fire-hccr, Table 5
# Measured on an AMD EPYC with AVX-512, batch 1, one thread, channels last against contiguous: 17.0 ms against
# 29.0 (plain), 8.5 against 19.0 (lowrank).
LAYOUT = "channels_last"
# Measured there, a step of 16 images, channels last: bfloat16 is 1.63 (lowrank) to 1.78 times (plain) as fast as
# float32.
CPU_TRAINING = "bf16"
RECIPE = {
    "light": {},
    # The training protocol is not among the papers at hand: fire-hccr's, section 4.2, on the same data, with its 40
    # passes and no augmentation.
    "paper": {
        "optimizer": "sgd",
        "lr": 0.1,
        "momentum": 0.9,
        "weight_decay": 1e-5,
        "schedule": "plateau",
        "gamma": 0.1,
        "batch": 256,
        "epochs": 40,
        "augmentation": {},
    },
}

# The authors' published parameters: (name, maps, rank) of each 3x3 convolution; the first one is never split.
_CONVOLUTIONS = (
    ("conv1", 96, None),
    ("conv2", 128, 40),
    ("conv3", 160, 51),
    ("conv4_1", 256, 69),
    ("conv4_2", 256, 89),
    ("conv5_1", 384, 102),
    ("conv5_2", 384, 123),
)
_POOLED = ("conv1", "conv2", "conv3", "conv4_2", "conv5_2")  # there: a 3x3 maximum with stride 2 follows, rounded up
_HIDDEN = 1024  # there
_DROPOUT = 0.5  # before the classifier; fire-hccr, section 4.2


def build(variant: str, classes: int, channels: int, size: int) -> nn.Module:
    """Sides 96-48-24-12-6-3; 594 million multiply-adds at 3,755 classes, split 152.

    ``plain`` is the network before compression. ``lowrank`` replaces each 3x3 convolution but the first by 3x1 to
    its rank and 1x3 back; normalisation and PReLU follow the second alone. Not included is the pruning that makes
    2.3 MB of it.
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
        network.add_module(f"norm_{name}", nn.BatchNorm2d(maps))
        network.add_module(f"prelu_{name}", nn.PReLU(maps))
        if name in _POOLED:
            network.add_module(f"pool_{name}", nn.MaxPool2d(3, 2, ceil_mode=True))
        inputs = maps
    network.add_module("flatten", nn.Flatten())
    (features,) = output_shape(network, channels, size)
    network.add_module("hidden", nn.Linear(features, _HIDDEN, bias=False))
    network.add_module("norm_hidden", nn.BatchNorm1d(_HIDDEN))
    network.add_module("prelu_hidden", nn.PReLU(_HIDDEN))
    network.add_module("dropout", nn.Dropout(_DROPOUT))
    network.add_module("classifier", nn.Linear(_HIDDEN, classes))
    return fitted(network, channels, size)
