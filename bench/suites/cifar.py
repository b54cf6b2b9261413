"""Photographs of 32x32 pixels: what pooling, depthwise multiplier and width do to a hybrid MobileNet."""

from bench.suites._base import RECOGNISER_MEASUREMENTS, RUNTIMES, SMOKE_WITHOUT, Scale, Suite

BASELINE = "hybrid_mobilenet:stride-d1-a1"
# hybrid-mobilenet, Tables 4 to 6, row by row; d1 beside them, which the paper leaves out but for the baseline: it
# tells what pooling does apart from what the multiplier does.
STRIDE = tuple(f"hybrid_mobilenet:stride-d{d}-a{a}" for d in (1, 2, 4) for a in ("1", "0.5", "0.25"))
MP3 = tuple(f"hybrid_mobilenet:mp3-d{d}-a{a}" for d in (1, 2, 4) for a in ("1", "0.5", "0.25"))
FMP = tuple(f"hybrid_mobilenet:fmp-d{d}-a{a}" for d in (1, 2, 4) for a in ("1", "0.5", "0.25"))
# Fractional pooling at full width and d2 or d4 takes most of the time of all 27.
QUICK = (BASELINE, *MP3, *(name for name in FMP if not name.endswith(("d2-a1", "d4-a1"))))
# One network of each pooling as photographs are trained today, beside its row by the paper's protocol.
MODERN = tuple(f"{name}+modern" for name in (BASELINE, "hybrid_mobilenet:mp3-d2-a0.5", "hybrid_mobilenet:fmp-d2-a0.5"))
SMOKE = ("hybrid_mobilenet:stride-d1-a0.25", "hybrid_mobilenet:mp3-d1-a0.25", "hybrid_mobilenet:fmp-d1-a0.25")

SUITE = Suite(
    title="Photographs of CIFAR",
    dataset="cifar10",
    measurements=RECOGNISER_MEASUREMENTS,
    # Both recipes ask for 100 epochs. Nothing here is embedded: without --data-root all 50,000 training photographs
    # are fetched, and each scale has fewer epochs of them than of a part that the user brings.
    scales={
        "smoke": Scale(
            SMOKE,
            classes=None,
            writers=None,
            share=0.01,
            share_own=0.01,
            rounds=10,
            without=SMOKE_WITHOUT,
            recipe="paper",
        ),
        "quick": Scale(
            (*QUICK, *MODERN),
            classes=None,
            writers=None,
            share=0.03,
            share_own=0.15,
            rounds=60,
            recipe="paper",
            runtimes=RUNTIMES,
        ),
        "paper": Scale(
            (*STRIDE, *MP3, *FMP, *MODERN),
            classes=None,
            writers=None,
            share=1,
            share_own=1,
            rounds=60,
            recipe="paper",
            runtimes=RUNTIMES,
        ),
    },
)
