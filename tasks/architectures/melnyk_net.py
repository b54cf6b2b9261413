"""Melnyk-Net: fourteen plain convolutions, average pools and one weighted pool; few weights, much arithmetic."""

from torch import nn

from tasks.architectures._checks import check_variant, fitted, output_shape
from tasks.architectures.fire import GlobalWeightedPool

SOURCE = "Melnyk, You, Li: A high-performance CNN method for offline HCCR and visualization, arXiv:1812.11489"
VARIANTS = ()
INPUT = (1, 96)  # the authors' published code
# Measured on an AMD EPYC with AVX-512, batch 1, one thread, channels last against contiguous: 29.4 ms against
# 33.2.
LAYOUT = "channels_last"
# Measured there, a step of 16 images, channels last: bfloat16 is 2.00 times as fast as float32.
CPU_TRAINING = "bf16"
RECIPE = {
    "light": {},
    # The authors' published code: SGD, momentum 0.9, batch 256, up to 41 passes, L2 0.001, rate 0.1 cut by ten
    # when the training accuracy stalls (here the validation loss), no augmentation.
    "paper": {
        "optimizer": "sgd",
        "lr": 0.1,
        "weight_decay": 1e-3,
        "schedule": "plateau",
        "gamma": 0.1,
        "batch": 256,
        "epochs": 41,
        "augmentation": {},
    },
}

# The authors' published code: maps of each 3x3 convolution, an average pool between groups.
_GROUPS = ((64, 64), (96, 64, 96), (128, 96, 128), (256, 192, 256), (448, 256, 448))
_DROPOUT = 0.5  # there
_CLASSIFIER_SPREAD = 0.001  # there: standard deviation of the classifier's first weights


def build(variant: str, classes: int, channels: int, size: int) -> nn.Module:
    """Sides 96-48-24-12-6 at the authors' input; 6,523,819 values with moving statistics at 3,755 classes.

    The weighted pool sums: its weights start at one each, not at one over their number.
    """
    check_variant(variant, VARIANTS)
    network = nn.Sequential()
    inputs = channels
    for number, group in enumerate(_GROUPS, 1):
        for place, maps in enumerate(group, 1):
            name = f"{number}_{place}"
            network.add_module(f"conv{name}", nn.Conv2d(inputs, maps, 3, padding=1, bias=False))
            network.add_module(f"norm{name}", nn.BatchNorm2d(maps))
            network.add_module(f"relu{name}", nn.ReLU(inplace=True))
            inputs = maps
        if number < len(_GROUPS):
            # 'Same' pooling of even sides: one place is missing at the end alone, and is not counted.
            network.add_module(f"pool{number}", nn.AvgPool2d(3, 2, ceil_mode=True))
    features, side, _ = output_shape(network, channels, size)
    pool = GlobalWeightedPool(features, side)
    nn.init.ones_(pool.weight)
    network.add_module("pool", pool)
    network.add_module("flatten", nn.Flatten())
    network.add_module("dropout", nn.Dropout(_DROPOUT))
    network.add_module("classifier", nn.Linear(features, classes))
    _initialise(network)
    return fitted(network, channels, size)


def _initialise(network: nn.Sequential) -> None:
    """As the authors' published code does."""
    for layer in network.modules():
        if type(layer) is nn.Conv2d:
            nn.init.kaiming_normal_(layer.weight)
        elif isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=_CLASSIFIER_SPREAD)
            nn.init.zeros_(layer.bias)
