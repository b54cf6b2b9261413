"""GoogLeNet with batch normalisation and without its auxiliary heads, as torchvision builds it."""

from torch import nn
from torchvision.models import googlenet

from tasks.architectures._checks import check_variant
from tasks.architectures._torchvision import torchvision_network

SOURCE = "Szegedy et al.: Going deeper with convolutions, arXiv:1409.4842"
VARIANTS = ()
INPUT = (1, 64)
# Measured on an AMD EPYC with AVX-512, batch 1, one thread: 7.7 ms in channels last, 12.1 ms contiguous.
LAYOUT = "channels_last"
# Same CPU, training step of 64 images, channels last: bfloat16 is 1.48 times as fast as float32.
CPU_TRAINING = "bf16"
RECIPE = {
    "light": {},
    # Section 6: SGD with momentum 0.9, rate lowered by 4 % every 8 passes. The paper does not print rate, batch and
    # length: batch and length are those of the residual networks, the rate is a tenth of theirs. Section 7: mirror
    # images and crops of 8 to 100 % of the area; half a character can no longer be recognised, so zoom ends at sqrt(2).
    "paper": {
        "optimizer": "sgd", "lr": 0.01, "schedule": "staircase", "gamma": 0.96, "step_epochs": 8.0,
        "batch": 256, "epochs": 120, "augmentation": {"flip_left_right": 0.5, "zoom": (1.0, 1.41)},
    },
}  # fmt: skip


def build(variant: str, classes: int, channels: int, size: int) -> nn.Module:
    """GoogLeNet, main head only."""
    check_variant(variant, VARIANTS)
    return torchvision_network(googlenet, classes, channels, size, aux_logits=False, init_weights=True)
