"""VGG-16 and ResNet-50 for colour photographs, with the colour mean and deviation of torchvision's ImageNet weights."""

from torch import Tensor, nn
from torchvision.models import resnet50, vgg16

from tasks.architectures._checks import check_variant
from tasks.architectures._torchvision import torchvision_network

SOURCE = "Simonyan, Zisserman, arXiv:1409.1556, and He, Zhang, Ren, Sun, arXiv:1512.03385, as torchvision builds them"
VARIANTS = ("vgg16", "resnet50")
INPUT = (3, 224)
LAYOUT = "channels_last"  # as in vgg16 and resnet, the same networks for characters
CPU_TRAINING = "bf16"
# The user supplies the weights, see bench run --weights; "light" trains them further. Photographs are mirrored, and
# moved by up to a twentieth; augmentation meant for characters, such as shear, is left out.
RECIPE = {
    "light": {"lr": 3e-4, "augmentation": {"flip_left_right": 0.5, "shift": 0.05}},
    # Both papers: momentum 0.9, rate divided by ten when the error stalls, batch 256; decay and passes of the former.
    "paper": {
        "optimizer": "sgd", "lr": 0.01, "weight_decay": 5e-4, "schedule": "plateau", "gamma": 0.1,
        "batch": 256, "epochs": 74, "augmentation": {"flip_left_right": 0.5, "shift": 0.07},
    },
}  # fmt: skip
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's colours, as its weights expect


class ScaledColours(nn.Module):
    """A network that first scales colours by ImageNet's mean and standard deviation."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """Colours 0 to 1, float (B, 3, S, S) -> logits (B, classes)."""
        # Not buffers: a state dict would contain them, but torchvision's weight files do not.
        mean, deviation = (images.new_tensor(values).view(3, 1, 1) for values in (MEAN, DEVIATION))
        return self.network((images - mean) / deviation)  # type: ignore[no-any-return]


def build(variant: str, classes: int, channels: int, size: int) -> nn.Module:
    """VGG-16 or ResNet-50 in colour.

    Raises:
        ValueError: an unknown variant, or a number of channels other than three.
    """
    check_variant(variant, VARIANTS)
    if channels != len(MEAN):
        raise ValueError(f"wanted {len(MEAN)} channels, got {channels}: these networks take colour photographs")
    return ScaledColours(torchvision_network(vgg16 if variant == "vgg16" else resnet50, classes, channels, size))
