"""Rows made from another row's trained weights: loading the parent, and comparing the row with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.records.compare import paired_accuracy
from bench.records.predictions import Predictions, read_predictions
from bench.run.resume import read_training
from bench.system import System
from bench.training.train import CHECKPOINT
from datamodules._errors import BenchError
from datamodules._files import sha256, write_whole
from tasks.recogniser import Recogniser, load_recogniser


class ParentError(BenchError):
    """The row whose weights are wanted was not trained."""


@dataclass(frozen=True)
class Parent:
    """A trained row that another row is made from.

    Attributes:
        system: its name.
        weights: file of its weights.
        recogniser: its trained network, on the CPU.
        answers: its predictions on the test split.
    """

    system: str
    weights: Path
    recogniser: Recogniser
    answers: Predictions

    def compared(self, answers: Predictions) -> dict[str, Any]:
        """What a record says of its parent: name, weights, and the paired difference of accuracy, row minus parent."""
        accuracy = float(self.answers.correct.mean())
        return {
            "system": self.system, "checkpoint_sha256": sha256(self.weights),
            "accuracy": {"value": accuracy, **paired_accuracy(self.answers, answers)},
        }  # fmt: skip


def load_parent(system: System, seed: int, folder: Path, key: Mapping[str, Any], classes: int) -> Parent:
    """The trained parent of a row.

    Args:
        system: of the row.
        seed: of both rows.
        folder: of the parent's row.
        key: of the parent's training.
        classes: size of the label space.

    Raises:
        ParentError: its weights are not there.
    """
    parent = system.parent
    if parent is None or read_training(folder, parent.weights_file, dict(key)) is None:
        name = parent.name if parent else system.name
        raise ParentError(
            f"wanted the trained weights of {name}, seed {seed}, to make {system.name} from, got none; run its row"
        )
    weights = folder / parent.weights_file
    trained = load_recogniser(parent.architecture, classes, weights)
    return Parent(parent.name, weights, trained, read_predictions(folder))


def discard_checkpoint_of_other_parent(weights: Path, folder: Path) -> None:
    """Delete a row's unfinished training where it began with other weights of its parent than these."""
    noted, now = folder / "begun_with.sha256", sha256(weights) or ""
    if not noted.exists() or noted.read_text() != now:
        (folder / CHECKPOINT).unlink(missing_ok=True)
    write_whole(noted, now.encode())
