"""Compact systems made smaller and faster after or beside training: early exits, and fewer bits."""

from bench.suite import Scale, Suite

ROWS = ("fire:gwap", "fire_cascade", "fire_cascade+joint")

SUITE = Suite(
    title="Early exits and compressed storage",
    dataset="synthetic_hwdb",
    measurements=(
        "accuracy",
        "accuracy_top5",
        "exit_accuracy",
        "exit_rate",
        "macs",
        "expected_macs",
        "params",
        "size_bytes",
        "peak_activation_bytes",
        "latency",
        "exit_latency",
        "exit_curve",
    ),
    scales={
        "smoke": Scale(ROWS, classes=20, writers=(24, 12), share=0.05, share_own=0.025, rounds=10),
        # As suite hccr, so that its figures stand beside these.
        "quick": Scale(ROWS, classes=30, writers=(60, 20), share=0.25, share_own=0.35, rounds=60),
        # All 3,755 characters. The fire network takes about 8 ms for a training image: an epoch is ten minutes.
        "paper": Scale(ROWS, classes=None, writers=(20, 6), share=1, share_own=1, rounds=60, most_epochs=10),
    },
)
