"""Answers on the test split: stored beside a row's weights, read by its figures and by comparisons."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.records.record import slug_system
from datamodules._files import write_whole
from tasks.early_exits.policy import HeadAnswers

FILE = "predictions.npz"
_HEADS = {"head_top": "top", "head_confidence": "confidence", "together": "together"}  # array -> field of HeadAnswers


@dataclass(frozen=True)
class Predictions:
    """Answers on the test split, in its order.

    Attributes:
        top: int32 (n, k), the k most probable classes, best first.
        probability: float32 (n,), of the first.
        labels: int64 (n,).
        exits: int8 (n,), number of the head at which each left; None for a system without early exits.
        heads: what every head says of each; None for the same systems.
    """

    top: NDArray[np.int32]
    probability: NDArray[np.float32]
    labels: NDArray[np.int64]
    exits: NDArray[np.int8] | None = None
    heads: HeadAnswers | None = None

    @property
    def correct(self) -> NDArray[np.bool_]:
        """Whether the most probable class is the true one, bool (n,)."""
        found: NDArray[np.bool_] = self.top[:, 0] == self.labels
        return found


def row_folder(runs: Path, record: Mapping[str, Any]) -> Path:
    """Where the weights, curve and predictions of a record's row lie below the folder ``runs``."""
    place = runs / str(record["suite"]) / str(record["dataset"]["name"]) / str(record["scale"])
    return place / f"{slug_system(record['system'])}-s{record['seed']}"


def read_predictions(folder: Path, condition: str = "") -> Predictions:
    """The answers in a row's folder, on the test split as it is or under a condition; no pickle.

    Raises:
        OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile: no file of answers.
    """
    # A file opened here is closed when NumPy cannot read it.
    with (folder / _file(condition)).open("rb") as file, np.load(file, allow_pickle=False) as stored:
        exits = stored.get("exits")
        heads = None if exits is None else HeadAnswers(*(stored[name] for name in _HEADS))
        return Predictions(stored["top"], stored["probability"], stored["labels"], exits, heads)


def write_predictions(folder: Path, found: Predictions, condition: str = "") -> None:
    """Store answers in a row's folder, whole or not at all; those under a condition such as ``flip`` apart."""
    buffer = io.BytesIO()
    arrays: dict[str, Any] = {"top": found.top, "probability": found.probability, "labels": found.labels}
    if found.exits is not None and found.heads is not None:
        heads = {name: getattr(found.heads, field) for name, field in _HEADS.items()}
        arrays |= {"exits": found.exits, **heads}
    np.savez_compressed(buffer, **arrays)
    write_whole(folder / _file(condition), buffer.getvalue())


def _file(condition: str) -> str:
    return f"predictions@{condition}.npz" if condition else FILE
