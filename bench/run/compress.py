"""Compressed rows: quantises the parent's weights, retrains the rest if asked, predicts from the packed file."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

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
    """The storage selects its settings on validation characters, but there are none."""


def compress(
    plan: Plan, task: ClassificationTask, storage: Storage, seed: int, parent: Parent, path: Path, tell: Tell
) -> Record:
    """Write the packed file of a compressed row, and predict the test split from its bytes.

    Returns: entries for the record. ``storage``: its name, the count of stored numbers, the size under an ideal
        entropy coder and as HDF5 with gzip, and how centroids were selected on validation images, if they were.
        ``parent``: its name, its weights, and the paired difference of accuracy, row minus parent, with its interval.
        ``retraining``: its cost, and under ``test`` the share of the quantisation loss that it recovered.

    Raises:
        ValueError: the storage cannot hold these weights, or no trainable weights remain.
    """
    started = time.monotonic()
    quantised, storage, choice = _quantised_network(parent.recogniser, storage, plan.datamodule.val)
    packed, answers = _pack_and_predict(quantised, storage, task, path, plan)
    retraining: Record = {}
    if storage.learned:
        before = answers
        quantised, retraining = retrain(plan, task, storage, seed, quantised, parent.recogniser, tell)
        packed, answers = _pack_and_predict(quantised, storage, task, path, plan)
        retraining["test"] = share_recovered(before.correct, answers.correct, parent.answers.correct, seed)
    write_predictions(path.parent, answers)
    return {
        "checkpoint_sha256": sha256(path),
        "trained_commit": source_state()[0],
        "storage": {
            "name": storage.name, "numbers": packed.numbers, "entropy_bytes": packed.entropy_bytes,
            "hdf5": {**sizes(from_bytes(packed.content, path)[1]), "gzip_level": LEVEL},
            **({} if choice is None else choice.as_dict()),
        },
        "parent": parent.comparison(answers),
        **({"retraining": retraining} if retraining else {}),
        "seconds": {"train": round(time.monotonic() - started, 1), "measure": 0.0},
    }  # fmt: skip


def pack_file(system: System, classes: int, weights: Path, path: Path) -> Packed:
    """Quantise trained weights with the system's storage, without retraining, and write them to ``path`` atomically.

    Raises:
        CompressionError: the storage selects its settings on validation characters, which are not available here.
        ValueError: weights of another architecture, or weights that the storage cannot hold.
    """
    if system.storage is None:
        raise ValueError(f"{system.name}: wanted a storage, got none")
    if system.storage.settings.within is not None:
        raise CompressionError(
            f"{system.name}: wanted validation characters to choose centroids by, got none; "
            "use bench run, or a storage with fixed settings, such as c32"
        )
    trained = load_recogniser(system.architecture, classes, weights)
    quantised = quantise(trained.network, system.storage, trained.channels, trained.size)  # type: ignore[arg-type]
    packed = pack_quantised(quantised, system.storage, system.architecture, classes)
    write_whole(path, packed.content)
    return packed


def _quantised_network(
    trained: Recogniser, storage: Storage, validation: Characters
) -> tuple[Quantised, Storage, Choice | None]:
    """The quantised network, and the storage with its final settings; a loss budget selects them on validation."""
    network, choice = trained.network, None
    assert isinstance(network, Normalised)  # as every loaded network is
    if storage.settings.within is not None:
        picks = np.linspace(0, len(validation) - 1, min(MOST_IMAGES, len(validation))).astype(int)
        images = [trained.preprocess(validation.image(int(pick))) for pick in picks]
        inputs, labels = torch.cat(images or [torch.empty(0)]), validation.labels[picks]
        storage, choice = settle(network, storage, trained.channels, trained.size, inputs, labels)
    return quantise(network, storage, trained.channels, trained.size), storage, choice


def _pack_and_predict(
    quantised: Quantised, storage: Storage, task: ClassificationTask, path: Path, plan: Plan
) -> tuple[Packed, Predictions]:
    """Write the packed file, and predict the test split from its bytes alone."""
    packed = pack_quantised(quantised, storage, task.architecture, task.classes)
    write_whole(path, packed.content)
    task.network = load_recogniser(task.architecture, task.classes, path).network  # type: ignore[assignment]
    return packed, predict(task, plan.datamodule, plan.request.hardware)
