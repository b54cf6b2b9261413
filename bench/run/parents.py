"""Rows that are made from another row's weights: what is taken of the parent, and how the row stands beside it."""

from pathlib import Path
from typing import Any

from bench.records.compare import paired_accuracy
from bench.records.predictions import Predictions, read_predictions
from bench.run.plan import Plan
from bench.run.resume import is_trained
from bench.system import System
from bench.training.train import CHECKPOINT
from datamodules._errors import BenchError
from datamodules._files import sha256, write_whole


class ParentError(BenchError):
    """The row whose weights are wanted was not trained."""


def parent_of(plan: Plan, system: System, seed: int) -> tuple[Path, Predictions]:
    """The trained weights of a row's parent, and what it answered on the test split.

    Raises:
        ParentError: they are not there.
    """
    parent = system.parent
    if parent is None or not is_trained(plan, parent, seed):
        name = parent.name if parent else system.name
        raise ParentError(
            f"wanted the trained weights of {name}, seed {seed}, to make {system.name} from, got none; run its row"
        )
    folder = plan.folder(parent, seed)
    return folder / parent.weights_file, read_predictions(folder)


def forget_other(weights: Path, folder: Path) -> None:
    """Take a row's unfinished training away where it began with other weights of its parent than these."""
    said, now = folder / "begun_with.sha256", sha256(weights) or ""
    if not said.exists() or said.read_text() != now:
        (folder / CHECKPOINT).unlink(missing_ok=True)
    write_whole(said, now.encode())


def beside_parent(system: System, weights: Path, beside: Predictions, answers: Predictions) -> dict[str, Any]:
    """What a record says of its row's parent: name, weights, and the paired difference of accuracy, row minus parent.

    Args:
        system: of the row.
        weights: of the parent.
        beside: the parent's answers.
        answers: the row's own, to the same characters.
    """
    assert system.parent is not None
    return {
        "system": system.parent.name, "checkpoint_sha256": sha256(weights),
        "accuracy": {"value": float(beside.right.mean()), **paired_accuracy(beside, answers)},
    }  # fmt: skip
