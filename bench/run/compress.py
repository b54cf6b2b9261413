"""Makes a compressed row: encodes its parent's weights, lets the rest learn, and answers from the bytes on disk."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bench.records.predictions import Predictions, write_predictions
from bench.records.provenance import source_state
from bench.records.statistics import share_recovered
from bench.run.parents import Parent
from bench.run.plan import Plan
from bench.run.retrain import retrain
from bench.system import System
from bench.training.events import Tell
from bench.training.train import predict
from datamodules._characters import Characters
from datamodules._errors import BenchError
from datamodules._files import sha256, write_whole
from tasks.classification import ClassificationTask
from tasks.compression.container import from_bytes
from tasks.compression.hdf5 import LEVEL, sizes
from tasks.compression.layer_choice import Choice
from tasks.compression.layer_sweep import MOST_IMAGES, settle
from tasks.compression.packing import Packed, Quantised, pack_quantised, quantise
from tasks.compression.storage import Storage
from tasks.normalised import Normalised
from tasks.recogniser import Recogniser, load_recogniser

Record = dict[str, Any]


class CompressionError(BenchError):
    """A storage chooses by validation characters, and none are given."""


def compress(
    plan: Plan, task: ClassificationTask, storage: Storage, seed: int, parent: Parent, path: Path, tell: Tell
) -> Record:
    """Make a compressed row: the packed file, and the answers that its bytes give on the test split.

    Args:
        plan: of the run.
        task: of the row; says its architecture, classes and recipe, and predicts.
        storage: how the row is stored.
        seed: of the row.
        parent: the trained row that it is made from.
        path: of the packed file.
        tell: takes the events of retraining, where the storage has any.

    Returns: what the record says of it. ``storage`` has the name, the numbers stored, what an ideal coder would need,
        what HDF5 with gzip takes and, where validation images chose the centroids, how. ``parent`` names the parent
        and its weights, and holds the difference of accuracy, row minus parent, on the same images with its paired
        interval. ``retraining``, where the storage retrains, is what that took, and under ``test`` how much of what
        quantising had lost is recovered.

    Raises:
        ValueError: weights that this storage cannot hold, or nothing is left to learn.
    """
    started = time.monotonic()
    quantised, storage, chosen = quantised_network(parent.recogniser, storage, plan.datamodule.val)
    packed = _write(quantised, storage, task, path)
    answers = _answers(task, path, plan)
    learned: Record = {}
    if storage.learned:
        before = answers
        quantised, learned = retrain(plan, task, storage, seed, quantised, parent.recogniser, tell)
        packed = _write(quantised, storage, task, path)
        answers = _answers(task, path, plan)
        learned["test"] = share_recovered(before.correct, answers.correct, parent.answers.correct, seed)
    write_predictions(path.parent, answers)
    return {
        "checkpoint_sha256": sha256(path),
        "trained_commit": source_state()[0],
        "storage": {
            "name": storage.name, "numbers": packed.numbers, "entropy_bytes": packed.entropy_bytes,
            "hdf5": {**sizes(from_bytes(packed.content, path)[1]), "gzip_level": LEVEL},
            **({} if chosen is None else chosen.as_dict()),
        },
        "parent": parent.compared(answers),
        **({"retraining": learned} if learned else {}),
        "seconds": {"train": round(time.monotonic() - started, 1), "measure": 0.0},
    }  # fmt: skip


def pack_file(system: System, classes: int, weights: Path, path: Path) -> Packed:
    """Write a trained network the way a system stores it; nothing is retrained.

    Args:
        system: with a storage.
        classes: size of the label space.
        weights: file of the trained network.
        path: of the packed file; written whole or not at all.

    Raises:
        CompressionError: a storage that chooses by validation characters, which are not here.
        ValueError: weights of another architecture, or such as this storage cannot hold.
    """
    if system.storage is None:
        raise ValueError(f"{system.name}: wanted a storage, got none")
    trained = load_recogniser(system.architecture, classes, weights)
    quantised, storage, _ = quantised_network(trained, system.storage, None)
    packed = pack_quantised(quantised, storage, system.architecture, classes)
    write_whole(path, packed.content)
    return packed


def quantised_network(
    trained: Recogniser, storage: Storage, validation: Characters | None
) -> tuple[Quantised, Storage, Choice | None]:
    """Quantise a trained network; where the storage has a budget, validation characters choose its settings.

    Returns: the network, the storage with the settings that were chosen, and how; None where nothing was to choose.

    Raises:
        CompressionError: a budget, and no characters to choose by.
        ValueError: weights that this storage cannot hold.
    """
    network, chosen = trained.network, None
    assert isinstance(network, Normalised)  # as all that are loaded
    if storage.settings.within is not None:
        if validation is None:
            raise CompressionError(
                f"{storage.name}: wanted validation characters to choose centroids by, got none; "
                "store it by bench run, or name a storage that leaves nothing to choose, such as c32"
            )
        images, labels = _inputs(trained, validation)
        storage, chosen = settle(network, storage, trained.channels, trained.size, images, labels)
    return quantise(network, storage, trained.channels, trained.size), storage, chosen


def _write(quantised: Quantised, storage: Storage, task: ClassificationTask, path: Path) -> Packed:
    packed = pack_quantised(quantised, storage, task.architecture, task.classes)
    write_whole(path, packed.content)
    return packed


def _inputs(recogniser: Recogniser, characters: Characters) -> tuple[Tensor, NDArray[np.int64]]:
    """At most MOST_IMAGES of the characters, evenly spread, as inputs of the network, and their labels."""
    picks = np.linspace(0, len(characters) - 1, min(MOST_IMAGES, len(characters))).astype(int)
    images = [recogniser.preprocess(characters.image(int(pick))) for pick in picks]
    return torch.cat(images or [torch.empty(0)]), characters.labels[picks]


def _answers(task: ClassificationTask, path: Path, plan: Plan) -> Predictions:
    """Predictions of a packed file on the test split, from its bytes alone."""
    task.network = load_recogniser(task.architecture, task.classes, path).network  # type: ignore[assignment]
    return predict(task, plan.datamodule, plan.request.hardware)
