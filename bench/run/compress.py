"""Rows stored in fewer bits: packed from their parent's weights, answered from the bytes on disk."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bench.records.predictions import Predictions, write_predictions
from bench.records.provenance import source_state
from bench.records.statistics import share_back
from bench.run.parents import beside_parent, parent_of
from bench.run.plan import Plan
from bench.run.retrain import retrain
from bench.system import System
from bench.training.train import Progress, predict
from datamodules._characters import Characters
from datamodules._errors import BenchError
from datamodules._files import sha256, write_whole
from tasks.classification import ClassificationTask
from tasks.compression.container import from_bytes
from tasks.compression.hdf5 import LEVEL, sizes
from tasks.compression.layer_choice import Choice
from tasks.compression.layer_sweep import MOST_IMAGES, settle
from tasks.compression.packing import Packed, pack, pack_quantised, quantise
from tasks.compression.storage import Storage, parse_storage
from tasks.normalised import Normalised
from tasks.recogniser import Recogniser, load_recogniser


class StoreError(BenchError):
    """There is nothing to choose by: no characters are given."""


def store(plan: Plan, system: System, seed: int, progress: Progress) -> dict[str, Any]:
    """Make a stored row from its parent's: the packed file, and the answers that its bytes give on the test split.

    Args:
        plan: of the run; the parent is one of its systems.
        system: with a storage.
        seed: of both rows.
        progress: is told how retraining goes, where the storage has any.

    Returns: what its record says of it. ``storage`` has the name, the numbers stored, what an ideal coder would need,
        what HDF5 with gzip takes and, where validation images chose the centroids, how; ``parent`` names the parent and
        its weights, and holds the difference of accuracy, stored minus parent, on the same images with its paired
        interval. ``retraining``, where the storage learns, is what that took, and under ``test`` how much of what
        quantising had lost came back.

    Raises:
        ParentError: the parent's weights are not there.
        ValueError: weights that this storage cannot hold, or nothing is left to learn.
    """
    started = time.monotonic()
    folder = plan.folder(system, seed)
    weights, beside = parent_of(plan, system, seed)
    path = folder / system.weights_file
    packed, chosen = pack_file(system, plan.datamodule.info.classes, weights, path, plan.datamodule.val)
    answers = _answers(plan, system, path)
    learnt: dict[str, Any] = {}
    if system.learned:
        packed, learnt = _learn(plan, system, seed, _storage(system, chosen), weights, path, progress)
        before, answers = answers, _answers(plan, system, path)
        learnt["test"] = share_back(before.right, answers.right, beside.right, seed)
    write_predictions(folder, answers)
    return {
        "checkpoint_sha256": sha256(path),
        "trained_commit": source_state()[0],
        "storage": {
            "name": system.storage, "numbers": packed.numbers, "entropy_bytes": packed.entropy_bytes,
            "hdf5": {**sizes(from_bytes(packed.content, path)[1]), "gzip_level": LEVEL},
            **({} if chosen is None else chosen.as_dict()),
        },
        "parent": beside_parent(system, weights, beside, answers),
        **({"retraining": learnt} if learnt else {}),
        "seconds": {"train": round(time.monotonic() - started, 1), "measure": 0.0},
    }  # fmt: skip


def pack_file(
    system: System, classes: int, weights: Path, path: Path, validation: Characters | None = None
) -> tuple[Packed, Choice | None]:
    """Write a trained network the way a system stores it; what that lets learn again has not done so yet.

    Args:
        system: with a storage.
        classes: size of the label space.
        weights: file of the trained network.
        path: of the packed file; written whole or not at all.
        validation: characters by which a storage with a budget chooses; None where there are none.

    Returns: what was written, and how it was chosen; None for a storage that leaves nothing to choose.

    Raises:
        StoreError: a storage with a budget, and no characters to choose by.
        ValueError: weights of another architecture, or such as this storage cannot hold.
    """
    storage, chosen = _storage(system), None
    trained = load_recogniser(system.architecture, classes, weights)
    if storage.within is not None:
        if validation is None:
            raise StoreError(
                f"{system.name}: wanted validation characters to choose centroids by, got none; "
                "store it by bench run, or name a storage that leaves nothing to choose, such as c32"
            )
        assert isinstance(trained.network, Normalised)  # as all that are loaded
        images, labels = _fitted(trained, validation)
        storage, chosen = settle(trained.network, storage, trained.channels, trained.size, images, labels)
    found = pack(trained.network, storage, system.architecture, classes, trained.channels, trained.size)
    write_whole(path, found.content)
    return found, chosen


def _fitted(recogniser: Recogniser, characters: Characters) -> tuple[Tensor, NDArray[np.int64]]:
    """At most MOST_IMAGES of the characters, evenly spread, as the network takes them, and their labels."""
    picks = np.linspace(0, len(characters) - 1, min(MOST_IMAGES, len(characters))).astype(int)
    images = [recogniser.preprocess(characters.image(int(pick))) for pick in picks]
    return torch.cat(images or [torch.empty(0)]), characters.labels[picks]


def _learn(
    plan: Plan, system: System, seed: int, storage: Storage, weights: Path, path: Path, progress: Progress
) -> tuple[Packed, dict[str, Any]]:
    """Quantise a trained network, let the rest learn, and write the packed file anew."""
    classes = plan.datamodule.info.classes
    teacher = load_recogniser(system.architecture, classes, weights)
    student = quantise(teacher.network, storage, teacher.channels, teacher.size)  # type: ignore[arg-type]
    student, said = retrain(plan, system, seed, student, teacher, progress)
    packed = pack_quantised(student, storage, system.architecture, classes)
    write_whole(path, packed.content)
    return packed, said


def _answers(plan: Plan, system: System, path: Path) -> Predictions:
    """What the bytes of a packed file answer on the test split: the file's, not what was packed into it."""
    classes = plan.datamodule.info.classes
    task = ClassificationTask(system.architecture, classes, plan.recipe(system))
    task.network = load_recogniser(system.architecture, classes, path).network  # type: ignore[assignment]
    return predict(task, plan.datamodule, plan.request.hardware)


def _storage(system: System, chosen: Choice | None = None) -> Storage:
    """The storage of a system, with the centroids of each layer where they have been chosen."""
    storage = parse_storage(system.storage)
    if storage is None:
        raise ValueError(f"{system.name}: wanted a storage, got {system.storage!r}")
    return storage if chosen is None else replace(storage, clusters=chosen.clusters)
