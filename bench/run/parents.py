"""Parents of compressed and multi-head rows: loads their trained weights and compares accuracies."""

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
    """The parent row is not trained."""


@dataclass(frozen=True)
class Parent:
    """A trained row whose weights another row uses; ``answers`` are its predictions on the test split."""

    system: str
    weights: Path
    recogniser: Recogniser
    answers: Predictions

    def comparison(self, answers: Predictions) -> dict[str, Any]:
        """The record's ``parent``: name, checksum, accuracy, and the paired difference, row minus parent."""
        accuracy = float(self.answers.correct.mean())
        return {
            "system": self.system, "checkpoint_sha256": sha256(self.weights),
            "accuracy": {"value": accuracy, **paired_accuracy(self.answers, answers)},
        }  # fmt: skip


def load_parent(system: System, seed: int, folder: Path, key: Mapping[str, Any], classes: int) -> Parent:
    """Load the trained parent of a row from the parent's ``folder``; ``key`` is the parent's training key.

    Raises:
        ParentError: the parent has no trained weights.
    """
    parent = system.parent
    if parent is None or read_training(folder, parent.weights_file, dict(key)) is None:
        name = parent.name if parent else system.name
        raise ParentError(
            f"{system.name}: wanted the trained weights of {name}, seed {seed}, got none; run that row first"
        )
    weights = folder / parent.weights_file
    trained = load_recogniser(parent.architecture, classes, weights)
    return Parent(parent.name, weights, trained, read_predictions(folder))


def discard_checkpoint_of_other_parent(weights: Path, folder: Path) -> None:
    """Delete a row's unfinished training if it started from other parent weights than these."""
    file, checksum = folder / "begun_with.sha256", sha256(weights) or ""
    if not file.exists() or file.read_text() != checksum:
        (folder / CHECKPOINT).unlink(missing_ok=True)
    write_whole(file, checksum.encode())
