"""Rows stored in fewer bits: packed from their parent's weights, answered from the bytes on disk."""

import time
from pathlib import Path
from typing import Any

from bench.compare import paired_accuracy
from bench.left import is_trained, sha256
from bench.machine import source_state
from bench.plan import Plan
from bench.predictions import read_predictions, write_predictions
from bench.system import System
from bench.train import predict
from datamodules._cache import write_whole
from datamodules._errors import BenchError
from tasks.classification import ClassificationTask
from tasks.compression.packing import Packed, pack
from tasks.compression.storage import parse_storage
from tasks.recogniser import load_recogniser


class StoreError(BenchError):
    """There is nothing to store: the parent was not trained."""


def store(plan: Plan, system: System, seed: int) -> dict[str, Any]:
    """Make a stored row from its parent's: the packed file, and the answers that its bytes give on the test split.

    Args:
        plan: of the run; the parent is one of its systems.
        system: with a storage.
        seed: of both rows.

    Returns: what its record says of it. ``storage`` has the name, the numbers stored and what an ideal coder would
        need; ``parent`` names the parent and its weights, and holds the difference of accuracy, stored minus parent,
        on the same images with its paired interval.

    Raises:
        StoreError: the parent's weights are not there.
        ValueError: weights that this storage cannot hold.
    """
    started = time.monotonic()
    parent = system.parent
    if parent is None or not is_trained(plan, parent, seed):
        name = parent.name if parent else system.name
        raise StoreError(f"wanted the trained weights of {name}, seed {seed}, to store them, got none; run its row")
    source, folder = plan.folder(parent, seed), plan.folder(system, seed)
    classes = plan.datamodule.info.classes
    packed = pack_file(system, classes, source / parent.weights_file, folder / system.weights_file)
    task = ClassificationTask(system.architecture, classes, plan.recipe(system))
    # The answers are those of the file, not of what was packed into it.
    task.network = load_recogniser(system.architecture, classes, folder / system.weights_file).network  # type: ignore[assignment]
    answers = predict(task, plan.datamodule, plan.request.hardware)
    write_predictions(folder, answers)
    beside = read_predictions(source)
    return {
        "checkpoint_sha256": sha256(folder / system.weights_file),
        "trained_commit": source_state()[0],
        "storage": {"name": system.storage, "numbers": packed.numbers, "entropy_bytes": packed.entropy_bytes},
        "parent": {
            "system": parent.name, "checkpoint_sha256": sha256(source / parent.weights_file),
            "accuracy": {"value": float(beside.right.mean()), **paired_accuracy(beside, answers)},
        },
        "seconds": {"train": round(time.monotonic() - started, 1), "measure": 0.0},
    }  # fmt: skip


def pack_file(system: System, classes: int, weights: Path, path: Path) -> Packed:
    """Write a trained network the way a system stores it.

    Args:
        system: with a storage.
        classes: size of the label space.
        weights: file of the trained network.
        path: of the packed file; written whole or not at all.

    Raises:
        ValueError: weights of another architecture, or such as this storage cannot hold.
    """
    storage = parse_storage(system.storage)
    if storage is None:
        raise ValueError(f"{system.name}: wanted a storage, got {system.storage!r}")
    trained = load_recogniser(system.architecture, classes, weights)
    found = pack(trained.network, storage, system.architecture, classes, trained.channels, trained.size)
    write_whole(path, found.content)
    return found
