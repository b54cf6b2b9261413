"""VGG-16 (configuration D), as torchvision builds it."""

from torch import nn
from torchvision.models import vgg16

from tasks.architectures._checks import check_variant
from tasks.architectures._layers import he_initialised
from tasks.architectures._torchvision import torchvision_network

SOURCE = "Simonyan, Zisserman: Very deep convolutional networks for image recognition, arXiv:1409.1556"
VARIANTS = ()
INPUT = (1, 64)
# Measured on an AMD EPYC with AVX-512, batch 1, one thread: 54.9 ms in channels last, 55.9 ms contiguous, nearly a tie.
LAYOUT = "channels_last"
# Same CPU, training step of 64 images, channels last, one thread (CPU time): bfloat16 is 1.66 times as fast as float32.
CPU_TRAINING = "bf16"
RECIPE = {
    # No batch normalisation: at this rate the loss falls from the first epoch, measured over 32 steps.
    "light": {"lr": 3e-4},
    # Section 3.1: batch 256, momentum 0.9, decay 0.0005, rate 0.01 divided by ten when the validation accuracy
    # stalls, 74 passes; crops of 224 from 256 pixels (a shift of up to 16/224) and mirror images.
    "paper": {
        "optimizer": "sgd", "lr": 0.01, "weight_decay": 5e-4, "schedule": "plateau", "gamma": 0.1,
        "batch": 256, "epochs": 74, "augmentation": {"flip_left_right": 0.5, "shift": 0.07},
    },
}  # fmt: skip


def build(variant: str, classes: int, channels: int, size: int) -> nn.Module:
    """VGG-16; a 64x64 input leaves 2x2 maps, which the adaptive pooling repeats to 7x7."""
    check_variant(variant, VARIANTS)
    # torchvision scales weights by the number of outputs, which makes them eight times too small for a single input
    # channel: the logits of two characters differ by 0.001, and 32 steps leave the loss at chance level. Scaled by the
    # number of inputs, the logits differ by 0.17.
    return he_initialised(torchvision_network(vgg16, classes, channels, size))
