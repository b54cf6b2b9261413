"""Melnyk-Net: fourteen plain convolutions, average pools and one weighted pool; few weights, many multiply-adds."""

from torch import nn

from tasks.architectures._checks import check_variant, fitted, output_shape
from tasks.architectures._layers import add_layers
from tasks.architectures.fire import GlobalWeightedPool

SOURCE = "Melnyk, You, Li: A high-performance CNN method for offline HCCR and visualization, arXiv:1812.11489"
VARIANTS = ()
INPUT = (1, 96)  # the authors' published code
# Measured on an AMD EPYC with AVX-512, batch 1, one thread: 29.4 ms in channels last, 33.2 ms contiguous.
LAYOUT = "channels_last"
# Same CPU, training step of 16 images, channels last: bfloat16 is 2.00 times as fast as float32.
CPU_TRAINING = "bf16"
RECIPE = {
    "light": {},
    # The authors' published code: SGD, momentum 0.9, batch 256, up to 41 passes, L2 0.001, rate 0.1 divided by ten
    # when the training accuracy stalls (here the validation loss), no augmentation.
    "paper": {
        "optimizer": "sgd", "lr": 0.1, "weight_decay": 1e-3, "schedule": "plateau", "gamma": 0.1,
        "batch": 256, "epochs": 41, "augmentation": {},
    },
}  # fmt: skip

# The authors' published code: maps of each 3x3 convolution, with an average pool between groups.
_GROUPS = ((64, 64), (96, 64, 96), (128, 96, 128), (256, 192, 256), (448, 256, 448))
_DROPOUT = 0.5  # the authors' published code
_CLASSIFIER_SPREAD = 0.001  # the authors' published code: standard deviation of the classifier's initial weights


def build(variant: str, classes: int, channels: int, size: int) -> nn.Module:
    """Sides 96-48-24-12-6 at the authors' input; 6,523,819 values with moving statistics at 3,755 classes.

    The weighted pool is a sum: each of its weights starts at one instead of one over their number.
    """
    check_variant(variant, VARIANTS)
    network = nn.Sequential()
    inputs = channels
    for number, group in enumerate(_GROUPS, 1):
        for place, maps in enumerate(group, 1):
            name = f"{number}_{place}"
            network.add_module(f"conv{name}", nn.Conv2d(inputs, maps, 3, padding=1, bias=False))
            add_layers(network, **{f"norm{name}": nn.BatchNorm2d(maps), f"relu{name}": nn.ReLU(inplace=True)})
            inputs = maps
        if number < len(_GROUPS):
            # 'Same' pooling of even sides pads one position at the end only, which does not count in the average.
            network.add_module(f"pool{number}", nn.AvgPool2d(3, 2, ceil_mode=True))
    features, side, _ = output_shape(network, channels, size)
    pool = GlobalWeightedPool(features, side)
    nn.init.ones_(pool.weight)
    classifier = nn.Linear(features, classes)
    add_layers(network, pool=pool, flatten=nn.Flatten(), dropout=nn.Dropout(_DROPOUT), classifier=classifier)
    for layer in network.modules():  # initialised as in the authors' published code
        if type(layer) is nn.Conv2d:
            nn.init.kaiming_normal_(layer.weight)
        elif isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=_CLASSIFIER_SPREAD)
            nn.init.zeros_(layer.bias)
    return fitted(network, channels, size)
