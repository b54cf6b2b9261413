"""Residual networks (ResNet) of 18 and 50 layers, as torchvision builds them."""

from torch import nn
from torchvision.models import resnet18, resnet50

from tasks.architectures._checks import check_variant
from tasks.architectures._torchvision import torchvision_network

SOURCE = "He, Zhang, Ren, Sun: Deep residual learning for image recognition, arXiv:1512.03385"
VARIANTS = ("18", "50")
INPUT = (1, 64)
# Measured on an AMD EPYC with AVX-512, batch 1, one thread: 8.4 ms in channels last, 16.8 ms contiguous (18 layers);
# 19.9 and 32.1 ms (50 layers).
LAYOUT = "channels_last"
# Same CPU, training step of 64 images, channels last: bfloat16 is 1.51 (18) and 1.71 times (50) as fast as float32.
CPU_TRAINING = "bf16"
RECIPE = {
    "light": {},
    # Section 3.4: batch 256, momentum 0.9, decay 0.0001, rate 0.1 divided by ten when the error stalls, 600,000 steps
    # (120 passes over ImageNet); crops of 224 from 256 pixels (a shift of up to 16/224) and mirror images.
    "paper": {
        "optimizer": "sgd", "lr": 0.1, "weight_decay": 1e-4, "schedule": "plateau", "gamma": 0.1,
        "batch": 256, "epochs": 120, "augmentation": {"flip_left_right": 0.5, "shift": 0.07},
    },
}  # fmt: skip


def build(variant: str, classes: int, channels: int, size: int) -> nn.Module:
    """ResNet-18 or ResNet-50; a 64x64 input leaves 2x2 maps."""
    check_variant(variant, VARIANTS)
    return torchvision_network(resnet18 if variant == "18" else resnet50, classes, channels, size)
