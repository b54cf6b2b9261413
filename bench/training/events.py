"""Events of a run, for the progress bars and Weights & Biases."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Event:
    """A change in the state of a row.

    Attributes:
        kind: ``phase``: the row enters a phase. ``training``: its training starts. ``epoch``: progress of its training.
            ``trained``: training and figures are done, or failed. ``recorded``: its record is written, or kept.
        row, rows: number of the row, from 1, and of all rows.
        record: the row's record so far.
        phase: ``train``, ``export`` or ``time``; for ``phase`` events.
        done, epochs: completed epochs, and all epochs of the training; for ``epoch`` events.
        scores: of the validation, if any; for ``epoch`` events.
        kept: whether the record is that of an earlier run; for ``recorded`` events.
    """

    kind: Literal["phase", "training", "epoch", "trained", "recorded"]
    row: int = 0
    rows: int = 0
    record: Mapping[str, Any] = field(default_factory=dict)
    phase: str = ""
    done: float = 0.0
    epochs: int = 0
    scores: Mapping[str, float] = field(default_factory=dict)
    kept: bool = False


Tell = Callable[[Event], None]
EVERY_STEPS = 8  # training steps between two ``epoch`` events; enough for progress bars
