"""AlexNet in its one-column form, as torchvision builds it."""

from torch import nn
from torchvision.models import alexnet

from tasks.architectures._checks import check_variant
from tasks.architectures._layers import he_initialised
from tasks.architectures._torchvision import torchvision_network

SOURCE = "Krizhevsky: One weird trick for parallelizing convolutional neural networks, arXiv:1404.5997"
VARIANTS = ()
INPUT = (1, 64)
# Measured on an AMD EPYC with AVX-512, batch 1, one thread: 12.7 ms in channels last, 15.0 ms contiguous.
LAYOUT = "channels_last"
# Same CPU, training step of 64 images, channels last: bfloat16 is 1.07 times as fast as float32.
CPU_TRAINING = "fp32"
RECIPE = {
    # No batch normalisation: a quarter of the default rate.
    "light": {"lr": 5e-4, "epochs": 60},
    # Krizhevsky, Sutskever, Hinton 2012, section 5: batch 128, momentum 0.9, decay 0.0005, rate 0.01 divided by ten
    # when the validation error stalls, 90 passes. Section 4.1: crops of 224 from 256 pixels (a shift of up to 16/224)
    # and mirror images; its colour shifts have no meaning for grey characters.
    "paper": {
        "optimizer": "sgd", "lr": 0.01, "weight_decay": 5e-4, "schedule": "plateau", "gamma": 0.1,
        "batch": 128, "epochs": 90, "augmentation": {"flip_left_right": 0.5, "shift": 0.07},
    },
}  # fmt: skip


def build(variant: str, classes: int, channels: int, size: int) -> nn.Module:
    """AlexNet; a 64x64 input leaves a single position, which the adaptive pooling repeats to 6x6."""
    check_variant(variant, VARIANTS)
    # With PyTorch's default initialisation the signal fades from layer to layer, as there is no batch normalisation:
    # the logits of two characters differ by 0.0001, and accuracy on 15 real characters after 12 epochs is 25 % against
    # 59 % with He's initialisation.
    return he_initialised(torchvision_network(alexnet, classes, channels, size))
