"""Shui characters: the small network designed for them against AlexNet, GoogLeNet and the compact systems."""

from bench.suites._base import RECOGNISER_MEASUREMENTS, RUNTIMES, SMOKE_WITHOUT, Scale, Suite

# shui-ocr compares the first three; every row reads the same slices, at its own input size.
ROWS = (
    "shui_cnn", "alexnet", "googlenet", "nearest_mean", "lenet5", "squeezenet", "mobilenet_v1", "mobilenet_v2",
    "fire:gap", "fire:gwap", "resnet:18",
)  # fmt: skip
# A row takes most of an hour at full size: one system of each kind, others by --system.
PAPER = ("shui_cnn", "alexnet", "googlenet", "nearest_mean", "lenet5", "squeezenet", "mobilenet_v2", "fire:gwap")

SUITE = Suite(
    title="Shui character recognition",
    dataset="shui",
    measurements=RECOGNISER_MEASUREMENTS,
    scales={
        "smoke": Scale(ROWS, 20, (12, 8), share=0.025, share_own=0.025, rounds=10, without=SMOKE_WITHOUT),
        # The published set has 37,500 training slices, 30 times the embedded data: the user's data get fewer epochs.
        "quick": Scale(ROWS, 70, (18, 9), share=0.25, share_own=0.1, rounds=60, runtimes=RUNTIMES),
        # The published set: 400 classes, 94 training and 31 test slices each. Its recipe asks for 400 epochs, 34 hours
        # on two cores (8 ms per training image). Each recipe gets 8 epochs, about 50 minutes on one core, and is
        # otherwise unchanged.
        "paper": Scale(PAPER, None, (94, 31), share=0.35, share_own=1, rounds=60, most_epochs=8, runtimes=RUNTIMES),
    },
)
