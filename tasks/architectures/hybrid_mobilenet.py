"""Hybrid MobileNet for 32x32 photographs: wider depthwise convolutions, and pooling instead of strides."""

import torch
from torch import Tensor, nn

from tasks.architectures._checks import check_variant, fitted
from tasks.architectures._layers import convolution

SOURCE = "Chen, Su: An enhanced hybrid MobileNet, 2018"
# Pooling, then maps per channel of a depthwise convolution (d), then width (a). Of d1, the paper has only stride-d1-a1;
# the others separate the effect of pooling from that of d.
VARIANTS = (
    "stride-d1-a1", "stride-d1-a0.5", "stride-d1-a0.25",
    "stride-d2-a1", "stride-d2-a0.5", "stride-d2-a0.25",
    "stride-d4-a1", "stride-d4-a0.5", "stride-d4-a0.25",
    "mp3-d1-a1", "mp3-d1-a0.5", "mp3-d1-a0.25",
    "mp3-d2-a1", "mp3-d2-a0.5", "mp3-d2-a0.25",
    "mp3-d4-a1", "mp3-d4-a0.5", "mp3-d4-a0.25",
    "fmp-d1-a1", "fmp-d1-a0.5", "fmp-d1-a0.25",
    "fmp-d2-a1", "fmp-d2-a0.5", "fmp-d2-a0.25",
    "fmp-d4-a1", "fmp-d4-a0.5", "fmp-d4-a0.25",
)  # fmt: skip
INPUT = (3, 32)  # Tables 1 to 3
# Measured on an AMD EPYC with AVX-512, batch 1, one thread: 2.9 ms in channels last, 4.3 ms contiguous (stride-d1-a1);
# 3.9 and 4.3 (mp3-d2-a0.5), 3.5 and 3.4 (fmp-d2-a0.25), 16.4 and 19.1 ms (fmp-d4-a1).
LAYOUT = "channels_last"
# Same CPU, training step of 64 images, channels last: bfloat16 is 0.52 (stride-d1-a1) to 1.13 times (fmp-d4-a1) as
# fast as float32.
CPU_TRAINING = "fp32"
RECIPE = {
    # Mirror images of photographs are natural; a shift by up to 4 of 32 pixels is usual for CIFAR.
    "light": {"augmentation": {"flip_left_right": 0.5, "shift": 0.125}},
    # Section IV: Adam, no augmentation. The paper prints no rate, batch or length: these are Adam's default, 128, 100.
    "paper": {"schedule": "constant", "batch": 128, "epochs": 100, "augmentation": {}},
    # As CIFAR is trained today (He et al., arXiv:1512.03385, section 4.2; cosine: Loshchilov, Hutter,
    # arXiv:1608.03983; smoothed labels: Szegedy et al., arXiv:1512.00567, section 7): SGD, rate 0.1, momentum 0.9,
    # batch 128, shifts by up to 4 of 32 pixels, mirror images. As many epochs as "paper", for equal cost.
    "modern": {
        "optimizer": "sgd", "lr": 0.1, "weight_decay": 5e-4, "batch": 128, "epochs": 100, "label_smoothing": 0.1,
        "augmentation": {"flip_left_right": 0.5, "shift": 0.125},
    },
}  # fmt: skip

_STEM = 32  # Table 1
_MAPS = (64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024)  # Tables 1 to 3, at a width of 1
# Convolutions that reduce their maps (0 is the stem): by their stride (Table 1), or by a pool after them.
_REDUCING = {"stride": (0, 2, 4, 6, 12), "mp3": (0, 1, 3, 5, 11), "fmp": (0, 2, 4, 6, 8, 10, 12)}
# Table 3 prints 1.4, but its sides 32-22-15-10-6-4-2-1 need 1.43 to 1.45 (10 / 1.4 is 7). The example in TensorFlow's
# documentation is 1.44.
_RATIO = 1.44
_DROPOUT = 0.1  # section IV


class FractionalMaxPool(nn.Module):
    """Maximum over disjoint regions whose sides are one or two, (B, C, S, S) -> (B, C, T, T).

    In training mode, the order of ones and twos is drawn anew for each batch, separately for rows and columns, as in
    TensorFlow by default. In eval mode it is fixed, and the twos are evenly spaced. Source: Graham: Fractional
    max-pooling, arXiv:1412.6071, section 2.

    Args:
        inputs: side S of the input maps.
        outputs: side T of the output maps, from half of ``inputs`` to all of it.
    """

    lasts: Tensor

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.register_buffer("lasts", torch.arange(1, outputs + 1) * inputs // outputs - 1)

    def forward(self, maps: Tensor) -> Tensor:
        """Float (B, C, S, S) -> (B, C, T, T)."""
        for axis in (2, 3):
            lasts = self._drawn() if self.training else self.lasts
            firsts = torch.cat([torch.zeros_like(lasts[:1]), lasts[:-1] + 1])
            maps = torch.maximum(maps.index_select(axis, firsts), maps.index_select(axis, lasts))
        return maps

    def _drawn(self) -> Tensor:
        """Last row of each region, in a random order of their sides."""
        sides = torch.diff(self.lasts, prepend=self.lasts.new_full((1,), -1))
        return sides[torch.randperm(len(sides), device=sides.device)].cumsum(0) - 1


class HybridMobileNet(nn.Module):
    """A stem and 13 separable convolutions, each convolution with batch normalisation and ReLU6.

    The paper does not name the activation; it builds on Keras' MobileNet, which has ReLU6.

    Args:
        pooling: ``stride``, ``mp3`` (3x3 maximum, stride 2) or ``fmp`` (fractional maximum).
        multiplier: output maps per channel of a depthwise convolution; the paper's delta.
        width: factor of all channels; the paper's alpha.
    """

    def __init__(self, pooling: str, multiplier: int, width: float, classes: int, channels: int, size: int) -> None:
        super().__init__()
        reducing = _REDUCING[pooling]
        inputs, side = int(_STEM * width), size
        self.features = nn.Sequential()
        for number, maps in enumerate((_STEM, *_MAPS)):
            maps = int(maps * width)
            stride = 2 if pooling == "stride" and number in reducing else 1
            if number == 0:
                self.features.add_module("stem", convolution(channels, maps, 3, stride, activation=nn.ReLU6))
            else:
                self.features.add_module(f"depthwise{number}", _depthwise(inputs, multiplier, stride))
                pointwise = convolution(inputs * multiplier, maps, 1, activation=nn.ReLU6)
                self.features.add_module(f"pointwise{number}", pointwise)
            if pooling == "mp3" and number in reducing:
                self.features.add_module(f"pool{number}", nn.MaxPool2d(3, 2, 1))
            if pooling == "fmp" and number in reducing:
                smaller = max(1, int(side / _RATIO))
                self.features.add_module(f"pool{number}", FractionalMaxPool(side, smaller))
                side = smaller
            inputs = maps
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(_DROPOUT)
        self.classifier = nn.Linear(inputs, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Float (B, C, S, S) -> logits (B, classes)."""
        features = self.pool(self.features(images)).flatten(1)
        return self.classifier(self.dropout(features))  # type: ignore[no-any-return]


def build(variant: str, classes: int, channels: int, size: int) -> nn.Module:
    """The variant is POOLING-dDELTA-aALPHA; a 32x32 input leaves a single position."""
    check_variant(variant, VARIANTS)
    pooling, multiplier, width = variant.split("-")
    network = HybridMobileNet(pooling, int(multiplier[1:]), float(width[1:]), classes, channels, size)
    return fitted(network, channels, size)


def _depthwise(inputs: int, multiplier: int, stride: int) -> nn.Sequential:
    return convolution(inputs, inputs * multiplier, 3, stride, groups=inputs, activation=nn.ReLU6)
