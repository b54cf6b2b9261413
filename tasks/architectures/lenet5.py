"""LeNet-5, with the simplifications that became customary."""

from torch import nn

from tasks.architectures._checks import check_variant, fitted, output_shape
from tasks.architectures._layers import add_layers

SOURCE = "LeCun et al.: Gradient-based learning applied to document recognition, Proceedings of the IEEE, 1998"
VARIANTS = ()
INPUT = (1, 32)  # section II.B: 32x32 pixels
# Measured on an AMD EPYC with AVX-512, batch 1, one thread: 0.18 ms in channels last, 0.20 ms contiguous.
LAYOUT = "channels_last"
# Same CPU, training step of 64 images, channels last, one thread: bfloat16 is 1.17 times as fast as float32.
CPU_TRAINING = "fp32"
RECIPE = {
    # Smooth activations and few weights allow a high rate: 46 % accuracy on real characters after 10 epochs, against
    # 37 % at 0.002.
    "light": {"lr": 5e-3, "epochs": 160},
    # Section III.B: plain stochastic gradient descent, one image a step, 20 passes, the rate lowered to 1/50 in five
    # stages. Its second-order estimate gave each weight its own rate of at most 0.016; here all share a smaller one.
    "paper": {
        "optimizer": "sgd", "lr": 0.01, "momentum": 0.0, "batch": 1, "epochs": 20, "gamma": 0.4, "step_epochs": 3.0,
        "augmentation": {},
    },
}  # fmt: skip


def build(variant: str, classes: int, channels: int, size: int) -> nn.Module:
    """LeNet-5: 61,706 parameters at ten classes and 1x32x32.

    Customary simplifications: subsampling is a plain average, the third layer sees all maps of the second,
    tanh is unscaled, and a linear output replaces the radial basis functions.
    """
    check_variant(variant, VARIANTS)
    body = nn.Sequential()
    add_layers(body, c1=nn.Conv2d(channels, 6, 5), tanh1=nn.Tanh(), s2=nn.AvgPool2d(2))
    add_layers(body, c3=nn.Conv2d(6, 16, 5), tanh3=nn.Tanh(), s4=nn.AvgPool2d(2), flatten=nn.Flatten())
    (features,) = output_shape(body, channels, size)
    add_layers(body, c5=nn.Linear(features, 120), tanh5=nn.Tanh())  # the paper calls it a 5x5 convolution of 5x5 maps
    add_layers(body, f6=nn.Linear(120, 84), tanh6=nn.Tanh(), output=nn.Linear(84, classes))
    return fitted(body, channels, size)
