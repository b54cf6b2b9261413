"""One column of a multi-column network (MCDNN) for characters: four unpadded convolutions and one hidden layer."""

from torch import nn

from tasks.architectures._checks import check_variant, fitted, output_shape
from tasks.architectures._layers import add_layers

SOURCE = "Ciresan, Meier: Multi-column deep neural networks for offline HCCR, arXiv:1309.0261: one column of the family"
VARIANTS = ()
INPUT = (1, 48)  # arXiv:1309.0261
# Measured on an AMD EPYC with AVX-512, batch 1, one thread: 3.7 ms in channels last, 5.8 ms contiguous.
LAYOUT = "channels_last"
# Same CPU, training step of 16 images, channels last: bfloat16 is 1.87 times as fast as float32.
CPU_TRAINING = "bf16"
RECIPE = {
    # No batch normalisation: half the default rate.
    "light": {"lr": 1e-3},
    # Plain online gradient descent with an annealed rate, characters moved by up to 10 %, turned by up to 15 degrees
    # and scaled by up to 15 %; elastic distortion is not implemented here. Rate and length are unknown: these are the
    # rate of LeNet-5's own protocol, batches of 32 instead of single characters, and 30 passes.
    "paper": {
        "optimizer": "sgd", "lr": 0.01, "momentum": 0.0, "batch": 32, "epochs": 30, "gamma": 0.8, "step_epochs": 1.0,
        "augmentation": {"rotate": 15.0, "zoom": (0.85, 1.15), "shift": 0.1},
    },
}  # fmt: skip

# The family's column in Ciresan's notation: 100C3-MP2-200C2-MP2-300C2-MP2-400C2-MP2-500N; (maps, kernel).
_CONVOLUTIONS = ((100, 3), (200, 2), (300, 2), (400, 2))
_HIDDEN = 500


def build(variant: str, classes: int, channels: int, size: int) -> nn.Module:
    """Sides 48-46-23-22-11-10-5-4-2; 3,483,655 parameters at 3,755 classes.

    The eight columns of the published ensemble differ from one another and are not printed; this is the usual column
    of the family. Eight such columns take 106 MiB, where fire-hccr's Table 5 prints 349 MB.
    """
    check_variant(variant, VARIANTS)
    network = nn.Sequential()
    inputs = channels
    for number, (maps, kernel) in enumerate(_CONVOLUTIONS, 1):
        network.add_module(f"conv{number}", nn.Conv2d(inputs, maps, kernel))
        add_layers(network, **{f"tanh{number}": nn.Tanh(), f"pool{number}": nn.MaxPool2d(2)})
        inputs = maps
    network.add_module("flatten", nn.Flatten())
    (features,) = output_shape(network, channels, size)
    add_layers(
        network, hidden=nn.Linear(features, _HIDDEN), tanh_hidden=nn.Tanh(), classifier=nn.Linear(_HIDDEN, classes)
    )
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            # Glorot, Bengio 2010: keeps the spread of tanh activations from layer to layer.
            nn.init.xavier_uniform_(layer.weight, nn.init.calculate_gain("tanh"))
    return fitted(network, channels, size)
