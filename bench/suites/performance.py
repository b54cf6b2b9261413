"""Speed of the suite itself: ratios of two programs, measured alternately in one run."""

from bench.suites._base import Scale, Suite

SUITE = Suite(
    title="Performance of the suite itself",
    dataset="none",
    measurements=("ratio",),
    scales={"quick": Scale((), None, None, share=1, share_own=1, rounds=60)},
    kind="comparisons",
)
