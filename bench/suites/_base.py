"""Classes of a suite: its default rows, dataset, measurements and scales."""

from collections.abc import Mapping
from dataclasses import dataclass

SCALES = ("smoke", "quick", "full", "paper")
# Accuracy, cost and latency: the measurements of every suite of recognisers.
RECOGNISER_MEASUREMENTS = (
    "accuracy", "accuracy_top5", "macs", "params", "params_keras", "size_bytes", "peak_activation_bytes", "latency",
    "machine_limit", "process_bytes",
)  # fmt: skip
# Runtimes in addition to eager at scales quick and paper. Smoke, which CI runs in 90 s, uses eager only, and skips the
# memory probe, whose process imports torch.
RUNTIMES = ("onnxruntime",)
SMOKE_WITHOUT = ("process_bytes",)


@dataclass(frozen=True)
class Scale:
    """The size of a run.

    Attributes:
        systems: names of the default rows.
        classes: label-space size of embedded data; None for all.
        writers: (train, test) synthetic writers of embedded data.
        share: of the recipe's epochs, on embedded data.
        share_own: of the recipe's epochs, on the user's data, which is used in full at every scale.
        rounds: of paired timing per system.
        recipe: the default recipe.
        most_epochs: upper bound for any recipe on embedded data; None for no bound.
        runtimes: in addition to eager; a run may add more.
        without: measurements of the suite that this scale skips to save time.
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
        dataset: the default dataset.
        measurements: of each row, in order; those of phase ``timing`` run after all training.
        scales: by name.
        kind: ``recognisers``, or ``comparisons`` if the rows are ratios of two programs.
    """

    title: str
    dataset: str
    measurements: tuple[str, ...]
    scales: Mapping[str, Scale]
    kind: str = "recognisers"

    @property
    def recipe(self) -> str:
        """The recipe of the default scale, which system names leave out."""
        return self.scales["quick"].recipe
