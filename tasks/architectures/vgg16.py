"""VGG-16 (configuration D), as torchvision builds it."""

from torch import nn
from torchvision.models import vgg16

from tasks.architectures._checks import check_variant
from tasks.architectures._torchvision import he_initialised, torchvision_network

SOURCE = "Simonyan, Zisserman: Very deep convolutional networks for image recognition, arXiv:1409.1556"
VARIANTS = ()
INPUT = (1, 64)
# Measured on an AMD EPYC with AVX-512, batch 1, one thread, channels last against contiguous: 54.9 ms against
# 55.9, nearly a tie.
LAYOUT = "channels_last"
# Measured there, a step of 64 images, channels last: bfloat16 is 1.66 times as fast as float32 in CPU time of
# one thread.
CPU_TRAINING = "bf16"
RECIPE = {
    # No batch normalisation: a rate at which the loss falls from the first epoch, seen over 32 steps.
    "light": {"lr": 3e-4},
    # Section 3.1: batch 256, momentum 0.9, decay 0.0005, rate 0.01 cut by ten when the validation accuracy
    # stalls, 74 passes; crops of 224 from 256 pixels (a shift of up to 16/224) and mirror images.
    "paper": {
        "optimizer": "sgd",
        "lr": 0.01,
        "weight_decay": 5e-4,
        "schedule": "plateau",
        "gamma": 0.1,
        "batch": 256,
        "epochs": 74,
        "augmentation": {"flip_left_right": 0.5, "shift": 0.07},
    },
}


def build(variant: str, classes: int, channels: int, size: int) -> nn.Module:
    """VGG-16; its adaptive pooling to 7x7 maps repeats the 2x2 that are left of 64x64."""
    check_variant(variant, VARIANTS)
    # torchvision scales by outputs, which shrinks a single input channel eightfold: the logits of two
    # characters differ by 0.001, and 32 steps left the loss at chance. Scaled by inputs they differ by 0.17.
    return he_initialised(torchvision_network(vgg16, classes, channels, size))
