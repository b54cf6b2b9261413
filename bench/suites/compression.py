"""Compact systems made smaller and faster after or beside training: early exits, and fewer bits."""

from dataclasses import replace

from bench.suites._base import RUNTIMES, Scale, Suite
from bench.suites.hccr import SUITE as HCCR

ROWS = ("fire:gwap", "fire_cascade", "fire_cascade+joint")
# As fire-hccr, section 4.5, stores them, and with normalisation folded in, which is smaller. At 3,755 classes that
# loses 0.5 points, and with a step for each class and what is left in float32 learned again 0.2, for 22 kB.
STORED = (
    "fire_cascade+u8-4",
    "fire_cascade+u8-4-folded",
    "fire_cascade+u8-4-rows-retrained",
    "fire_cascade+u8-4-rows-folded-retrained",
)
# Centroids for all heads: as they are, learned again, the fewest that lose little, and fewer that learn again. By
# k-means: 16 clusters of equal population lose 14 points of the cascade's accuracy on hwdb100, and learning again
# leaves 1.5 of them lost.
CENTROIDS = (
    "fire_cascade+c16-kmeans-folded",
    "fire_cascade+c16-kmeans-folded-retrained",
    "fire_cascade+c-within1-kmeans-folded",
    "fire_cascade+c-within3-kmeans-folded-retrained",
)
# Four centroids a layer leave nothing of the accuracy: what then comes back is all learnt again.
RETRAINED = ("fire:gwap+c4", "fire:gwap+c4-retrained", "fire:gwap+c4-conventional")

SUITE = Suite(
    title="Early exits and compressed storage",
    dataset=HCCR.dataset,
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
        "machine_limit",
        "exit_latency",
        "exit_curve",
        "process_bytes",
    ),
    scales={
        # As suite hccr, so that its figures stand beside these.
        "smoke": replace(HCCR.scales["smoke"], systems=ROWS),
        "quick": replace(HCCR.scales["quick"], systems=(*ROWS, *STORED, *CENTROIDS, *RETRAINED)),
        # All 3,755 characters. The fire network takes about 8 ms for a training image: an epoch is ten minutes, so
        # that joint training, which cannot begin from the trained fire:gwap, is left to --system.
        "paper": Scale(
            (*ROWS[:2], *STORED, *CENTROIDS),
            classes=None,
            writers=(20, 6),
            share=1,
            share_own=1,
            rounds=60,
            most_epochs=4,
            runtimes=RUNTIMES,
        ),
    },
)
