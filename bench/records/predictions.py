"""Predictions on the test split, and the folder below ``runs/`` where they lie with a row's weights."""

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

RUNS, FILE = Path("runs"), "predictions.npz"
EXPORTED = "exported"  # folder of exported files in a row's folder, with a subfolder for each runtime
_HEADS = {"head_top": "top", "head_confidence": "confidence", "together": "together"}  # array -> field of HeadAnswers


@dataclass(frozen=True)
class Predictions:
    """A system's predictions on the test split of n characters, in its order.

    Attributes:
        top: int32 (n, k), the k most probable classes, best first.
        probability: float32 (n,), of the first class.
        labels: int64 (n,).
        exits: int8 (n,), index of the head at which each character left; None for a system without early exits.
        heads: predictions of every head for every character; None for a system without early exits.
    """

    top: NDArray[np.int32]
    probability: NDArray[np.float32]
    labels: NDArray[np.int64]
    exits: NDArray[np.int8] | None = None
    heads: HeadAnswers | None = None

    @property
    def correct(self) -> NDArray[np.bool_]:
        """Whether the most probable class is the label, bool (n,)."""
        return self.top[:, 0] == self.labels  # type: ignore[no-any-return]


def row_folder(runs: Path, record: Mapping[str, Any]) -> Path:
    """Folder of the weights, training curve and predictions of a record's row, below ``runs``."""
    name = f"{slug_system(record['system'])}-s{record['seed']}"
    return runs / str(record["suite"]) / str(record["dataset"]["name"]) / str(record["scale"]) / name


def read_predictions(folder: Path, condition: str = "") -> Predictions:
    """Read the predictions in a row's folder, on the test split or under a condition such as ``flip``; no pickle.

    Raises: OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile: no readable file of predictions.
    """
    # NumPy does not close a file that it opened but cannot read.
    with (folder / _file(condition)).open("rb") as file, np.load(file, allow_pickle=False) as stored:
        exits = stored.get("exits")
        heads = None if exits is None else HeadAnswers(*(stored[name] for name in _HEADS))
        return Predictions(stored["top"], stored["probability"], stored["labels"], exits, heads)


def write_predictions(folder: Path, predictions: Predictions, condition: str = "") -> None:
    """Write predictions atomically to a row's folder; those under a condition such as ``flip`` in their own file."""
    buffer = io.BytesIO()
    arrays: dict[str, Any] = {name: getattr(predictions, name) for name in ("top", "probability", "labels")}
    if predictions.exits is not None and predictions.heads is not None:
        arrays["exits"] = predictions.exits
        arrays |= {name: getattr(predictions.heads, field) for name, field in _HEADS.items()}
    np.savez_compressed(buffer, **arrays)
    write_whole(folder / _file(condition), buffer.getvalue())


def _file(condition: str) -> str:
    return f"predictions@{condition}.npz" if condition else FILE
