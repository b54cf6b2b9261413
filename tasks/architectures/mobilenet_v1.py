"""MobileNetV1, width 1.0, as used for handwritten characters."""

from torch import Tensor, nn

from tasks.architectures._checks import check_variant, fitted
from tasks.architectures._layers import convolution

SOURCE = "Howard et al.: MobileNets, arXiv:1704.04861; for characters: mobilenet-hccr, section 4.1"
VARIANTS = ()
INPUT = (1, 64)  # mobilenet-hccr, section 5
# Measured on an AMD EPYC with AVX-512, batch 1, one thread: 4.9 ms in channels last, 6.5 ms contiguous.
LAYOUT = "channels_last"
# Same CPU, training step of 64 images, channels last: bfloat16 is 0.69 times as fast as float32.
CPU_TRAINING = "fp32"
RECIPE: dict[str, dict[str, object]] = {
    "light": {"lr": 5e-3, "epochs": 56, "dropout": 0.1},
    "paper": {},  # the recipe's defaults are those of mobilenet-hccr
}

_STEM = 32  # MobileNets, Table 1
# MobileNets, Table 1: (maps, stride) of each separable convolution; in mobilenet-hccr's own table, the outputs of a
# layer are not the inputs of the next. The last depthwise stride is printed as 2 but keeps 7x7 maps, so it is 1.
_PLAN = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *((512, 1),) * 5, (1024, 2), (1024, 1))
_DROPOUT = 0.5  # mobilenet-hccr, section 6.2.2 (the paper prints the share that is kept)


class MobileNetV1(nn.Module):
    """Alternating depthwise and pointwise convolutions, each with batch normalisation and ReLU."""

    def __init__(self, classes: int, channels: int) -> None:
        super().__init__()
        self.stem = convolution(channels, _STEM, 3, 2)
        blocks = []
        inputs = _STEM
        for maps, stride in _PLAN:
            depthwise = convolution(inputs, inputs, 3, stride, groups=inputs)
            blocks.append(nn.Sequential(depthwise, convolution(inputs, maps, 1)))
            inputs = maps
        self.blocks = nn.Sequential(*blocks)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(_DROPOUT)
        self.classifier = nn.Linear(inputs, classes)
        for layer in self.modules():
            # mobilenet-hccr uses Xavier's initialisation; mobilenet_v2 keeps torchvision's own.
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.xavier_uniform_(layer.weight)

    def forward(self, images: Tensor) -> Tensor:
        """Float (B, C, S, S) -> logits (B, classes)."""
        features = self.pool(self.blocks(self.stem(images))).flatten(1)
        return self.classifier(self.dropout(features))  # type: ignore[no-any-return]


def build(variant: str, classes: int, channels: int, size: int) -> nn.Module:
    """Width 1.0 with a first stride of 2; a 64x64 input leaves 2x2 maps."""
    check_variant(variant, VARIANTS)
    return fitted(MobileNetV1(classes, channels), channels, size)
