"""What a suite is: default rows, dataset and measurements under one name."""

from collections.abc import Mapping
from dataclasses import dataclass

SCALES = ("smoke", "quick", "paper")
# What any suite of recognisers measures of a row: how well it reads, what it costs, and how long it takes.
RECOGNISER_MEASUREMENTS = (
    "accuracy",
    "accuracy_top5",
    "macs",
    "params",
    "params_keras",
    "size_bytes",
    "peak_activation_bytes",
    "latency",
    "machine_limit",
    "process_bytes",
)
# Where each row is timed beside eager at scales quick and paper; smoke, which is for CI and has 90 s, stays with eager
# and leaves out what takes a process that imports torch.
RUNTIMES = ("onnxruntime",)
SMOKE_WITHOUT = ("process_bytes",)


@dataclass(frozen=True)
class Scale:
    """How much of the protocol a run does.

    Attributes:
        systems: the default rows, by name.
        classes: label-space size of embedded data; None for all.
        writers: (train, test) synthetic writers of embedded data.
        share: of the recipe's epochs, on embedded data.
        share_own: of the recipe's epochs, on data that the user brings, which no scale cuts in size.
        rounds: of paired timing for each system.
        recipe: the default.
        most_epochs: of any recipe, on embedded data; None for no bound.
        runtimes: of ``bench.runtimes``, in which each row is deployed beside eager; a run may ask for more.
        without: measurements of the suite that this scale leaves out, for want of time.
    """

    systems: tuple[str, ...]
    classes: int | None
    writers: tuple[int, int] | None
    share: float
    share_own: float
    rounds: int
    recipe: str = "light"
    most_epochs: float | None = None
    runtimes: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


@dataclass(frozen=True)
class Suite:
    """A suite.

    Attributes:
        title: heading of its boards.
        dataset: the default.
        measurements: what each row is measured for, in order; those of phase ``timing`` run after all training.
        scales: by name.
        kind: ``recognisers``, or ``comparisons`` for suites whose rows are ratios of two programs.
    """

    title: str
    dataset: str
    measurements: tuple[str, ...]
    scales: Mapping[str, Scale]
    kind: str = "recognisers"
