"""SqueezeNet 1.1, as torchvision builds it."""

from torch import nn
from torchvision.models import squeezenet1_1

from tasks.architectures._checks import check_variant
from tasks.architectures._torchvision import torchvision_network

SOURCE = "Iandola et al.: SqueezeNet, arXiv:1602.07360; version 1.1 from the authors' released code"
VARIANTS = ()
INPUT = (1, 64)
# Measured on an AMD EPYC with AVX-512, batch 1, one thread: 1.3 ms in channels last, 2.6 ms contiguous.
LAYOUT = "channels_last"
# Same CPU, training step of 64 images, channels last: bfloat16 is 1.35 times as fast as float32.
CPU_TRAINING = "bf16"
RECIPE = {
    # No batch normalisation: 22 % accuracy on 30 real characters after 10 epochs, against 10 % at a rate of 0.001.
    "light": {"lr": 5e-4, "epochs": 80},
    # Section 3.1: a rate of 0.04, lowered linearly; the one-cycle schedule comes nearest. The authors' released solver
    # has momentum 0.9, decay 0.0002, batch 512 and 170,000 steps (68 passes over ImageNet).
    "paper": {
        "optimizer": "sgd", "lr": 0.04, "weight_decay": 2e-4, "schedule": "onecycle", "batch": 512, "epochs": 68,
        "augmentation": {},
    },
}  # fmt: skip


def build(variant: str, classes: int, channels: int, size: int) -> nn.Module:
    """SqueezeNet 1.1; a 64x64 input leaves 3x3 maps."""
    check_variant(variant, VARIANTS)
    network = torchvision_network(squeezenet1_1, classes, channels, size)
    # A ReLU follows the last convolution. From torchvision's bias of 0, AdamW drives every logit below 0 within an
    # epoch, and the gradient vanishes. Equal positive biases change no probability and prevent this.
    nn.init.ones_(network.get_parameter("classifier.1.bias"))
    return network
