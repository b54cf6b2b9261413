"""MobileNetV1, width 1.0, as used for handwritten characters."""

from torch import Tensor, nn

from tasks.architectures._checks import check_variant, fitted

SOURCE = "Howard et al.: MobileNets, arXiv:1704.04861; for characters: mobilenet-hccr, section 4.1"
VARIANTS = ()
INPUT = (1, 64)  # mobilenet-hccr, section 5
# Measured on an AMD EPYC with AVX-512, batch 1, one thread, channels last against contiguous: 4.9 ms against
# 6.5.
LAYOUT = "channels_last"
# Measured there, a step of 64 images, channels last: bfloat16 is 0.69 times as fast as float32.
CPU_TRAINING = "fp32"
RECIPE: dict[str, dict[str, object]] = {
    "light": {"lr": 5e-3, "epochs": 56, "dropout": 0.1},
    "paper": {},  # mobilenet-hccr\'s own: the defaults
}

_STEM = 32  # MobileNets, Table 1
# MobileNets, Table 1: (maps, stride) of each separable convolution; mobilenet-hccr's own table does not
# chain. The last depthwise stride is printed as 2 but keeps 7x7 maps, so it is 1.
_PLAN = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *((512, 1),) * 5, (1024, 2), (1024, 1))
_DROPOUT = 0.5  # mobilenet-hccr, section 6.2.2 (it prints the share kept)


class MobileNetV1(nn.Module):
    """Depthwise and pointwise convolutions in turn, each with batch normalisation and ReLU.

    Args:
        classes: width of the output.
        channels: of the input.
    """

    def __init__(self, classes: int, channels: int) -> None:
        super().__init__()
        self.stem = _convolution(channels, _STEM, 3, 2)
        blocks = []
        inputs = _STEM
        for maps, stride in _PLAN:
            depthwise = _convolution(inputs, inputs, 3, stride, groups=inputs)
            blocks.append(nn.Sequential(depthwise, _convolution(inputs, maps, 1)))
            inputs = maps
        self.blocks = nn.Sequential(*blocks)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(_DROPOUT)
        self.classifier = nn.Linear(inputs, classes)
        for layer in self.modules():
            # mobilenet-hccr initialises after Xavier; mobilenet_v2 keeps torchvision's own initialisation.
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.xavier_uniform_(layer.weight)

    def forward(self, images: Tensor) -> Tensor:
        """Float (B, C, S, S) -> logits (B, classes)."""
        features = self.pool(self.blocks(self.stem(images))).flatten(1)
        return self.classifier(self.dropout(features))  # type: ignore[no-any-return]


def build(variant: str, classes: int, channels: int, size: int) -> nn.Module:
    """Width 1.0 with a first stride of 2: 2x2 maps remain of 64x64."""
    check_variant(variant, VARIANTS)
    return fitted(MobileNetV1(classes, channels), channels, size)


def _convolution(inputs: int, maps: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, maps, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(maps),
        nn.ReLU(inplace=True),
    )
