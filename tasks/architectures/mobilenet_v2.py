"""MobileNetV2, width 1.0, as torchvision builds it, with the dropout used for handwritten characters."""

from torch import nn
from torchvision.models import mobilenet_v2

from tasks.architectures._checks import check_variant
from tasks.architectures._torchvision import torchvision_network

SOURCE = "Sandler et al.: MobileNetV2, arXiv:1801.04381; for characters: mobilenet-hccr, section 4.2"
VARIANTS = ()
INPUT = (1, 64)
# Measured on an AMD EPYC with AVX-512, batch 1, one thread: 5.2 ms in channels last, 6.6 ms contiguous.
LAYOUT = "channels_last"
# Same CPU, training step of 64 images, channels last: bfloat16 is 0.57 times as fast as float32.
CPU_TRAINING = "fp32"
RECIPE: dict[str, dict[str, object]] = {
    "light": {"lr": 4e-3, "epochs": 56, "dropout": 0.1},
    "paper": {},  # the recipe's defaults are those of mobilenet-hccr
}

_DROPOUT = 0.5  # mobilenet-hccr, section 6.2.2 (the paper prints the share that is kept); torchvision's default is 0.2


def build(variant: str, classes: int, channels: int, size: int) -> nn.Module:
    """Width 1.0 with a first stride of 2; a 64x64 input leaves 2x2 maps."""
    check_variant(variant, VARIANTS)
    return torchvision_network(mobilenet_v2, classes, channels, size, dropout=_DROPOUT)
