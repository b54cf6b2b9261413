"""Handwritten Chinese characters: accuracy of compact networks against their cost on a CPU."""

from bench.suites._base import RECOGNISER_MEASUREMENTS, RUNTIMES, SMOKE_WITHOUT, Scale, Suite

# fmt: off
SMOKE = (
    "nearest_mean", "lenet5", "shui_cnn", "squeezenet", "mobilenet_v1", "mobilenet_v2", "resnet:18", "fire:gap",
    "fire:gwap",
)
# Within fifteen minutes on two cores; heavier systems by --system. Two rows train in parallel, so long rows come early,
# and short rows fill up the end.
QUICK = (
    "nearest_mean", "shui_cnn", "mobilenet_v2+paper", "mobilenet_v2", "fire:gwap", "mobilenet_v1", "fire:gap",
    "squeezenet", "lenet5+paper", "lenet5", "dlqdf:dlqdf",
)
# Every character of GB2312 level 1; quill took 68 minutes on two cores of an AMD EPYC with AVX2.
FULL = ("nearest_mean", "dlqdf:dlqdf", "lenet5", "squeezenet", "mobilenet_v2", "resnet:18", "fire:gwap", "quill")
PAPER = (
    "nearest_mean", "lenet5", "alexnet", "vgg16", "googlenet", "resnet:18", "resnet:50", "squeezenet", "mobilenet_v1",
    "mobilenet_v2", "shui_cnn", "fire:gap", "fire:fc", "fire:gwap",
)
# fmt: on

SUITE = Suite(
    title="Handwritten Chinese character recognition",
    dataset="synthetic_hwdb",
    measurements=(*RECOGNISER_MEASUREMENTS, "unknown_accepted"),
    scales={
        "smoke": Scale(SMOKE, 20, (24, 12), share=0.05, share_own=0.025, rounds=10, without=SMOKE_WITHOUT),
        "quick": Scale(QUICK, 30, (60, 20), share=0.25, share_own=0.35, rounds=60, runtimes=RUNTIMES),
        "full": Scale(FULL, None, (160, 20), share=0.075, share_own=0.075, rounds=60, runtimes=RUNTIMES),
        # 240 and 60 writers, as HWDB1.1.
        "paper": Scale(PAPER, None, (240, 60), share=1, share_own=1, rounds=60, recipe="paper", runtimes=RUNTIMES),
    },
)
