"""HCCR-GoogLeNet: four inception modules for characters, on grey levels, or on grey levels and Gabor maps."""

import math

import torch
from torch import Tensor, nn

from tasks.architectures._checks import check_variant, fitted, output_shape
from tasks.architectures._layers import add_layers

SOURCE = "Zhong, Jin, Xie: High performance offline HCCR using GoogLeNet and directional feature maps, arXiv:1505.04925"
VARIANTS = ("grey", "gabor")
INPUT = (1, 120)  # fire-hccr, Table 5
# Measured on an AMD EPYC with AVX-512, batch 1, one thread: 14.0 ms in channels last, 19.2 ms contiguous (grey);
# 16.6 and 21.1 ms (gabor).
LAYOUT = "channels_last"
# Same CPU, training step of 16 images, channels last: bfloat16 is 1.32 times as fast as float32.
CPU_TRAINING = "bf16"
RECIPE = {
    # No batch normalisation: half the default rate.
    "light": {"lr": 1e-3},
    # The authors' published solver: momentum 0.9, decay 0.0005, rate 0.01 divided by ten every 100,000 of 350,000 steps
    # of 128 (16.7 passes of 2,678,424; 4.78 passes between cuts), no augmentation.
    "paper": {
        "optimizer": "sgd", "lr": 0.01, "weight_decay": 5e-4, "gamma": 0.1, "step_epochs": 4.78,
        "batch": 128, "epochs": 16.7, "augmentation": {},
    },
}  # fmt: skip

# The authors' published network: outputs of 1x1, 3x3 reduction, 3x3, 5x5 reduction, 5x5, pool projection.
_INCEPTIONS = {
    "inception1": (64, 96, 128, 16, 32, 32),
    "inception2": (128, 128, 192, 32, 96, 64),
    "inception3": (160, 112, 224, 24, 64, 64),
    "inception4": (256, 160, 320, 32, 128, 128),
}
# The next five lines are from the published network as well.
_STEM, _REDUCED, _SECOND, _LAST, _HIDDEN = 64, 64, 192, 128, 1024  # outputs
_NORMALISED = (5, 1e-4, 0.75)  # size, alpha and beta of local response normalisation
_DROPOUT = 0.4
_SPREADS = {7: 0.015, 3: 0.04, 5: 0.08}  # standard deviation of the initial weights, by kernel
_SECOND_SPREAD, _LINEAR_SPREAD = 0.02, 0.01  # standard deviation of conv2, and of the fully connected layers

# The authors' published filters: orientations, side, wave number pi/2 / sqrt(2) and width 2 pi of the envelope.
_ORIENTATIONS, _SIDE, _WAVE, _WIDTH = 8, 7, math.pi / 2 / math.sqrt(2), 2 * math.pi
_SMALLEST = 1e-6  # a map whose range is smaller is blank: a 4,000th of a grey level


class GaborMaps(nn.Module):
    """Each channel of the image, and its Gabor magnitudes at eight orientations, scaled to 0 to 1.

    Source: the authors' published code, which pads with the mirrored image; here the padding is paper.
    """

    kernels: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.register_buffer("kernels", gabor_kernels()[:, None].repeat(channels, 1, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        """Float (B, C, S, S) with paper 0 -> (B, 9C, S, S), each value 0 to 1."""
        waves = nn.functional.conv2d(images, self.kernels, padding=_SIDE // 2, groups=self.channels)
        real, imaginary = waves[:, 0::2], waves[:, 1::2]
        maps = (real * real + imaginary * imaginary).sqrt()
        least, most = maps.amin((2, 3), True), maps.amax((2, 3), True)
        return torch.cat([images, (maps - least) / (most - least).clamp_min(_SMALLEST)], 1)


class Inception(nn.Module):
    """Parallel convolutions of 1x1, 3x3 and 5x5 and a projected 3x3 maximum, concatenated; widths as in _INCEPTIONS."""

    def __init__(self, inputs: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        one, reduce3, three, reduce5, five, projected = widths
        self.one = _convolution(inputs, one, 1)
        self.three = nn.Sequential(_convolution(inputs, reduce3, 1), _convolution(reduce3, three, 3, padding=1))
        self.five = nn.Sequential(_convolution(inputs, reduce5, 1), _convolution(reduce5, five, 5, padding=2))
        self.projected = nn.Sequential(nn.MaxPool2d(3, 1, 1), _convolution(inputs, projected, 1))

    def forward(self, maps: Tensor) -> Tensor:
        """Float (B, inputs, H, W) -> (B, one + three + five + projected, H, W)."""
        return torch.cat([self.one(maps), self.three(maps), self.five(maps), self.projected(maps)], 1)


def build(variant: str, classes: int, channels: int, size: int) -> nn.Module:
    """The authors' published network: 6,448,163 (grey) or 6,473,251 parameters (gabor) at 3,755 classes.

    That is 24.60 and 24.69 MiB, where fire-hccr's Table 5 prints 27.77 MB for the Gabor variant: 11 % more. So the
    table counts another network than the published one; no natural change explains the difference. The mean image
    and the margin of 4 pixels are left out here.
    """
    check_variant(variant, VARIANTS)
    network = nn.Sequential()
    inputs = channels
    if variant == "gabor":
        network.add_module("gabor", GaborMaps(channels))
        inputs = (1 + _ORIENTATIONS) * channels
    _add_stem(network, inputs)
    inputs = _SECOND
    for number, (name, widths) in enumerate(_INCEPTIONS.items(), 1):
        network.add_module(name, Inception(inputs, widths))
        inputs = widths[0] + widths[2] + widths[4] + widths[5]
        if number == 2:
            network.add_module("pool3", nn.MaxPool2d(3, 2, ceil_mode=True))
    pool = nn.AvgPool2d(5, 3, ceil_mode=True)
    add_layers(network, pool4=pool, reduction4=_convolution(inputs, _LAST, 1), flatten=nn.Flatten())
    (features,) = output_shape(network, channels, size)
    add_layers(network, hidden=nn.Linear(features, _HIDDEN), relu_hidden=nn.ReLU(inplace=True))
    add_layers(network, dropout=nn.Dropout(_DROPOUT), classifier=nn.Linear(_HIDDEN, classes))
    _initialise(network)
    return fitted(network, channels, size)


def gabor_kernels() -> Tensor:
    """Gabor filters, real and imaginary part alternating, one pair for each orientation, float (16, 7, 7)."""
    reach = _SIDE // 2
    steps = torch.arange(-reach, reach + 1, dtype=torch.float64, device="cpu")
    y, x = torch.meshgrid(steps, steps, indexing="ij")
    envelope = (_WAVE / _WIDTH) ** 2 * torch.exp(-(_WAVE**2) * (x * x + y * y) / (2 * _WIDTH**2))
    kernels = []
    for turn in range(_ORIENTATIONS):
        angle = turn * math.pi / _ORIENTATIONS
        phase = _WAVE * (x * math.cos(angle) + y * math.sin(angle))
        # The subtracted term removes the response of the real part to uniform grey.
        kernels += [envelope * (phase.cos() - math.exp(-(_WIDTH**2) / 2)), envelope * phase.sin()]
    return torch.stack(kernels).float()


def _add_stem(network: nn.Sequential, inputs: int) -> None:
    convolution, pool = _convolution(inputs, _STEM, 7, stride=2), nn.MaxPool2d(3, 2, ceil_mode=True)
    add_layers(network, conv1=convolution, pool1=pool, norm1=nn.LocalResponseNorm(*_NORMALISED))
    network.add_module("reduction2", _convolution(_STEM, _REDUCED, 1))
    network.add_module("conv2", _convolution(_REDUCED, _SECOND, 3, padding=1))
    add_layers(network, norm2=nn.LocalResponseNorm(*_NORMALISED), pool2=nn.MaxPool2d(3, 2, ceil_mode=True))


def _convolution(inputs: int, maps: int, kernel: int, stride: int = 1, padding: int = 0) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, maps, kernel, stride, padding), nn.ReLU(inplace=True))


def _initialise(network: nn.Sequential) -> None:
    for name, layer in network.named_modules():
        if isinstance(layer, nn.Conv2d):
            if layer.kernel_size[0] == 1:
                nn.init.xavier_uniform_(layer.weight)
            else:
                spread = _SECOND_SPREAD if name.startswith("conv2") else _SPREADS[layer.kernel_size[0]]
                nn.init.normal_(layer.weight, std=spread)
        elif isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=_LINEAR_SPREAD)
        if isinstance(layer, nn.Conv2d | nn.Linear) and layer.bias is not None:
            nn.init.zeros_(layer.bias)
