"""Networks for photographs as torchvision publishes their weights: ImageNet's 1,000 classes, 224 pixels in colour."""

from torch import Tensor, nn
from torchvision.models import resnet50, vgg16

from tasks.architectures._checks import check_variant
from tasks.architectures._torchvision import torchvision_network

SOURCE = "Simonyan, Zisserman, arXiv:1409.1556, and He, Zhang, Ren, Sun, arXiv:1512.03385, as torchvision builds them"
VARIANTS = ("vgg16", "resnet50")
INPUT = (3, 224)
LAYOUT = "channels_last"  # as vgg16 and resnet, which are the same networks for characters
CPU_TRAINING = "bf16"
# Their weights are given, see bench run --weights; by light they learn again. Photographs are mirrored, and moved by up
# to a twentieth; what suits characters, such as shear, is left out.
RECIPE = {
    "light": {"lr": 3e-4, "augmentation": {"flip_left_right": 0.5, "shift": 0.05}},
    # Both papers: momentum 0.9, a rate cut by ten when the error stalls, batch 256; decay and passes of the former.
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
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's colours, which its weights expect


class ScaledColours(nn.Module):
    """A network with colours scaled by ImageNet's mean and deviation before it.

    Args:
        network: float (B, 3, S, S) -> logits (B, classes).
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """Colours 0 to 1, float (B, 3, S, S) -> logits (B, classes)."""
        # No buffers: weights would then have them too, which torchvision's files have not.
        mean, deviation = (images.new_tensor(values).view(3, 1, 1) for values in (MEAN, DEVIATION))
        return self.network((images - mean) / deviation)  # type: ignore[no-any-return]


def build(variant: str, classes: int, channels: int, size: int) -> nn.Module:
    """VGG-16 or ResNet-50 in colour.

    Raises:
        ValueError: another variant, or other channels than three.
    """
    check_variant(variant, VARIANTS)
    if channels != len(MEAN):
        raise ValueError(f"wanted {len(MEAN)} channels, got {channels}: these networks see photographs")
    return ScaledColours(torchvision_network(vgg16 if variant == "vgg16" else resnet50, classes, channels, size))
