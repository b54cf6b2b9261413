"""Photographs of 32x32 pixels: effect of pooling, depthwise multiplier and width on a hybrid MobileNet."""

from bench.suites._base import RECOGNISER_MEASUREMENTS, RUNTIMES, SMOKE_WITHOUT, Scale, Suite

BASELINE = "hybrid_mobilenet:stride-d1-a1"
# hybrid-mobilenet, Tables 4 to 6, row by row, and d1, which the paper has for the baseline only: it separates the
# effect of pooling from that of the multiplier.
STRIDE = tuple(f"hybrid_mobilenet:stride-d{d}-a{a}" for d in (1, 2, 4) for a in ("1", "0.5", "0.25"))
MP3, FMP = (tuple(name.replace("stride", pooling) for name in STRIDE) for pooling in ("mp3", "fmp"))
# Fractional pooling at full width with d2 or d4 takes most of the time of all 27.
QUICK = (BASELINE, *MP3, *(name for name in FMP if not name.endswith(("d2-a1", "d4-a1"))))
# One network of each pooling with a modern recipe, to compare with its row by the paper's protocol.
MODERN = tuple(f"{name}+modern" for name in (BASELINE, "hybrid_mobilenet:mp3-d2-a0.5", "hybrid_mobilenet:fmp-d2-a0.5"))
SMOKE = ("hybrid_mobilenet:stride-d1-a0.25", "hybrid_mobilenet:mp3-d1-a0.25", "hybrid_mobilenet:fmp-d1-a0.25")

SUITE = Suite(
    title="Photographs of CIFAR",
    dataset="cifar10",
    measurements=RECOGNISER_MEASUREMENTS,
    # Both recipes ask for 100 epochs. No data is embedded: without --data-root all 50,000 training photographs are
    # downloaded, and ``share`` gives them fewer epochs than ``share_own`` gives a part that the user supplies.
    scales={
        "smoke": Scale(SMOKE, None, None, 0.01, 0.01, rounds=10, recipe="paper", without=SMOKE_WITHOUT),
        "quick": Scale((*QUICK, *MODERN), None, None, 0.03, 0.15, rounds=60, recipe="paper", runtimes=RUNTIMES),
        "paper": Scale(
            (*STRIDE, *MP3, *FMP, *MODERN), None, None, 1, 1, rounds=60, recipe="paper", runtimes=RUNTIMES,
        ),
    },
)  # fmt: skip
