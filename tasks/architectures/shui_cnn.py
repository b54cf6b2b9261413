"""The small network for Shui characters: four unpadded convolutions and one hidden layer."""

from torch import nn

from tasks.architectures._checks import check_variant, fitted, output_shape
from tasks.architectures._layers import add_layers

SOURCE = "shui-ocr: convolutional network for handwritten Shui characters, section 3.3 and Table 1"
VARIANTS = ()
INPUT = (1, 52)  # shui-ocr, section 3.3
# Measured on an AMD EPYC with AVX-512, batch 1, one thread: 7.4 ms in channels last, 9.0 ms contiguous.
LAYOUT = "channels_last"
# Same CPU, training step of 64 images, channels last: bfloat16 is 2.06 times as fast as float32.
CPU_TRAINING = "bf16"
RECIPE = {
    # No batch normalisation: half the default rate; 0.0005 learns equally well (62 and 63 % of 15 real characters).
    "light": {"lr": 1e-3},
    # shui-ocr, sections 4.2 and 4.3: SGD, momentum 0.9, rate 0.001, batch 128, 400 epochs, no augmentation.
    "paper": {
        "optimizer": "sgd", "lr": 1e-3, "schedule": "constant", "batch": 128, "epochs": 400, "augmentation": {},
    },
}  # fmt: skip

# shui-ocr, Table 1: (maps, kernel). The text says 2 for the last kernel; only 3 leads to the printed 2x2 maps.
_CONVOLUTIONS = ((128, 5), (192, 5), (256, 3), (128, 3))
_HIDDEN = 1024  # shui-ocr, section 3.3


def build(variant: str, classes: int, channels: int, size: int) -> nn.Module:
    """Sides 52-48-24-20-10-8-4-2 at the paper's input; 2,290,896 parameters at its 400 classes."""
    check_variant(variant, VARIANTS)
    body = nn.Sequential()
    inputs = channels
    for number, (maps, kernel) in enumerate(_CONVOLUTIONS, 1):
        add_layers(body, **{f"conv{number}": nn.Conv2d(inputs, maps, kernel), f"relu{number}": nn.ReLU()})
        if number < len(_CONVOLUTIONS):
            body.add_module(f"pool{number}", nn.MaxPool2d(2))
        inputs = maps
    body.add_module("flatten", nn.Flatten())
    (features,) = output_shape(body, channels, size)
    add_layers(body, hidden=nn.Linear(features, _HIDDEN), relu_hidden=nn.ReLU(), classifier=nn.Linear(_HIDDEN, classes))
    return fitted(body, channels, size)
