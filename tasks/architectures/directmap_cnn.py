"""DirectMap CNN: a convolutional network on eight 32x32 direction maps, which the network computes itself."""

from torch import nn

from tasks.architectures._checks import check_variant, fitted, output_shape
from tasks.architectures._directions import DIRECTIONS, DirectionMaps
from tasks.architectures._layers import add_layers, he_initialised

SOURCE = "Zhang, Bengio, Liu: Online and offline HCCR: a comprehensive study and new benchmark, arXiv:1606.05763"
VARIANTS = ()
# The maps are 32x32 (fire-hccr, Table 5); the gradient is computed on a larger image.
INPUT = (1, 64)
# Measured on an AMD EPYC with AVX-512, batch 1, one thread: 10.2 ms in channels last, 12.4 ms contiguous.
LAYOUT = "channels_last"
# Same CPU, training step of 16 images, channels last: bfloat16 is 1.61 times as fast as float32.
CPU_TRAINING = "bf16"
RECIPE = {
    # No batch normalisation: half the default rate.
    "light": {"lr": 1e-3},
    # SGD, momentum 0.95, batch 1000, rate 0.005 multiplied by 0.3 when it stalls, about 70 passes, no augmentation.
    "paper": {
        "optimizer": "sgd", "lr": 0.005, "momentum": 0.95, "schedule": "plateau", "gamma": 0.3,
        "batch": 1000, "epochs": 70, "augmentation": {},
    },
}  # fmt: skip

# Maps, and dropout before each 3x3 convolution; a 2x2 maximum follows every second one. The resulting file size equals
# the 23.5 MB of fire-hccr's Table 5 to the last digit.
_CONVOLUTIONS = ((50, 0.0), (100, 0.1), (150, 0.1), (200, 0.2), (250, 0.2), (300, 0.3), (350, 0.3), (400, 0.4))
_HIDDEN = ((900, 0.5), (200, 0.0))  # width, and dropout before it
_SLOPE = 1 / 3  # of the leaky ReLU below 0


def build(variant: str, classes: int, channels: int, size: int) -> nn.Module:
    """Sides 64-32-16-8-4-2; 6,161,255 parameters at 3,755 classes.

    The original normalises the shape of the character and adds each pixel's gradient to the matching position of a
    32x32 map. Here the character is twice as large, its shape is not normalised, and 2x2 positions are averaged.
    """
    check_variant(variant, VARIANTS)
    network = nn.Sequential()
    add_layers(network, directions=DirectionMaps(channels), places=nn.AvgPool2d(2))
    inputs = DIRECTIONS
    for number, (maps, dropout) in enumerate(_CONVOLUTIONS, 1):
        if dropout:
            network.add_module(f"dropout{number}", nn.Dropout(dropout))
        network.add_module(f"conv{number}", nn.Conv2d(inputs, maps, 3, padding=1))
        network.add_module(f"relu{number}", nn.LeakyReLU(_SLOPE, inplace=True))
        if number % 2 == 0:
            network.add_module(f"pool{number}", nn.MaxPool2d(2))
        inputs = maps
    network.add_module("flatten", nn.Flatten())
    (features,) = output_shape(network, channels, size)
    for number, (width, dropout) in enumerate(_HIDDEN, 1):
        if dropout:
            network.add_module(f"dropout_hidden{number}", nn.Dropout(dropout))
        network.add_module(f"hidden{number}", nn.Linear(features, width))
        network.add_module(f"relu_hidden{number}", nn.LeakyReLU(_SLOPE, inplace=True))
        features = width
    network.add_module("classifier", nn.Linear(features, classes))
    # Without normalisation, this initialisation keeps the spread through eight layers.
    return fitted(he_initialised(network, _SLOPE), channels, size)
