"""Events of a run: what the progress bars and Weights & Biases are told while rows train and are measured."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Event:
    """Something that happens to a row.

    Attributes:
        kind: ``phase``: the row enters a phase. ``training``: its training starts. ``epoch``: a part of its training
            is done. ``trained``: its training and its figures are done, or it has failed. ``recorded``: its record is
            written, or kept from an earlier run.
        row: number of the row, from 1.
        rows: how many rows the run has.
        record: of the row, as far as it is made.
        phase: ``train``, ``export`` or ``time``; of a ``phase``.
        done: epochs that are done; of an ``epoch``.
        epochs: epochs of the training; of an ``epoch``.
        scores: of the last validation, where there was one; of an ``epoch``.
        kept: whether the record is that of an earlier run; of a ``recorded``.
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
EVERY_STEPS = 8  # between two events of an epoch; bars need no more
