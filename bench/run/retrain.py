"""Retrains the float32 parts of a quantised network, by distillation without labels or with labels."""

import copy
from collections.abc import Sequence
from functools import partial
from typing import Any

import pytorch_lightning as pl

from bench.run.plan import Plan
from bench.training.events import Tell
from bench.training.train import QUIET, Progress, expected_warnings, interruptible, precision_for
from datamodules._base import CharacterDataModule
from datamodules._unlabelled import Unlabelled, images_of
from tasks.classification import ClassificationTask
from tasks.compression.packing import Quantised
from tasks.compression.storage import Storage
from tasks.recipe import Recipe
from tasks.recogniser import Recogniser
from tasks.retraining import ConventionalTask, Retraining, RetrainingTask
from tasks.retraining_settings import (
    CONVENTIONAL_RATES,
    DRAWS,
    LAYERS,
    LOSSES,
    RATE,
    loss_of_labels,
    most_images,
    retraining_recipe,
)

Record = dict[str, Any]


def retrain(
    plan: Plan, task: ClassificationTask, storage: Storage, seed: int, student: Quantised, teacher: Recogniser,
    tell: Tell,
) -> tuple[Quantised, Record]:  # fmt: skip
    """Train the weights that are not quantised, on the teacher's predictions or on labels, as the storage says.

    Without labels there is one learning rate, and no selection. With labels each of CONVENTIONAL_RATES starts from the
    same student, and the best validation accuracy selects one. ``seconds`` covers all rates, because a user who does
    not know the best rate needs them all; ``seconds_best`` covers the best rate alone.

    The teacher is the network before quantisation. The given student is not modified.
    Returns: the trained student, on the CPU, and its entries for the record.

    Raises:
        ValueError: no trainable weights remain.
    """
    recipe, classes = task.recipe, task.classes
    settings = retraining_settings(plan, storage, recipe)
    accelerator = plan.request.hardware.accelerator
    fit = partial(_fit, accelerator, precision_for(task.architecture, accelerator))
    if storage.learned == "conventional":
        tasks = []
        for number, rate in enumerate(CONVENTIONAL_RATES):
            labelled = ConventionalTask(copy.deepcopy(student), retraining_recipe(recipe, rate))
            plan.datamodule.seed = seed
            fit(labelled, plan.datamodule, Progress(tell, len(CONVENTIONAL_RATES), number))
            tasks.append(labelled)
        best = max(tasks, key=lambda candidate: candidate.points[-1]["accuracy"])  # the first rate of equal ones
        return best.student, {**settings, **_outcome(best, tasks)}
    images = plan.unlabelled or images_of(plan.datamodule)
    unlabelled = RetrainingTask(copy.deepcopy(student), teacher, retraining_recipe(recipe, RATE))
    used = images.at_most(most_images(unlabelled.network, classes, unlabelled.draws))
    if plan.unlabelled is not None:
        used.say_conversion(student.channels, student.size)
    fit(unlabelled, Unlabelled(used, plan.datamodule, seed), Progress(tell))
    source = {
        "name": images.name, "fingerprint": images.fingerprint, "synthetic": images.synthetic,
        "images": len(used.images), "of": len(images.images), "draws": unlabelled.draws, "size": images.described(),
    }  # fmt: skip
    seconds = {name: round(getattr(unlabelled, name), 3) for name in ("seconds_teacher", "seconds_statistics")}
    return unlabelled.student, {**settings, **_outcome(unlabelled, [unlabelled]), "unlabelled": source, **seconds}


def retraining_settings(plan: Plan, storage: Storage, trained: Recipe) -> Record:
    """The retraining settings of a row for its record, which identify the retraining; ``trained``: parent's recipe."""
    recipe = retraining_recipe(trained, RATE)
    partial_layers = storage.settings.layers or storage.settings.within is not None
    rates = CONVENTIONAL_RATES if storage.learned == "conventional" else (RATE,)
    settings = {
        "method": storage.learned, "optimizer": recipe.optimizer, "schedule": recipe.schedule, "batch": recipe.batch,
        "epochs": recipe.all_epochs, "rates": [{"lr": retraining_recipe(trained, rate).lr} for rate in rates],
        **({"layers": LAYERS} if partial_layers else {}),
    }  # fmt: skip
    if storage.learned == "conventional":
        return {**settings, "loss": loss_of_labels(recipe)}
    name = plan.unlabelled.name if plan.unlabelled else plan.datamodule.info.name
    fingerprint = (plan.unlabelled or plan.datamodule).fingerprint
    images = {"name": name, "fingerprint": fingerprint, "draws": DRAWS}
    return {**settings, "loss": LOSSES["kl"], "unlabelled": images}


def _fit(
    accelerator: str, precision: str, task: Retraining, datamodule: CharacterDataModule, progress: pl.Callback
) -> None:
    with expected_warnings(), interruptible():
        pl.seed_everything(datamodule.seed, verbose=False)
        trainer = pl.Trainer(
            max_epochs=task.recipe.all_epochs, accelerator=accelerator, devices=1,
            precision=precision,  # type: ignore[arg-type]
            callbacks=[progress], num_sanity_val_steps=0, **QUIET,
        )  # fmt: skip
        trainer.validate(task, datamodule=datamodule, verbose=False)
        trainer.fit(task, datamodule=datamodule)
    task.cpu()
    task.network.eval()


def _outcome(best: Retraining, tasks: Sequence[Retraining]) -> Record:
    """Record entries of the fits: rates, seconds, and the curve of the best one."""
    rates = [
        {"lr": fit.recipe.lr, "seconds": round(fit.points[-1]["seconds"], 3), "accuracy": fit.points[-1]["accuracy"]}
        for fit in tasks
    ]
    epochs = len(best.points) - 1
    return {
        "learning": best.learning, "lr": best.recipe.lr, "rates": rates,
        "seconds": round(sum(rate["seconds"] for rate in rates), 3),
        "seconds_best": round(best.points[-1]["seconds"], 3),
        "seconds_epoch": round((best.points[-1]["seconds"] - best.seconds_before) / epochs, 3),
        "curve": [{**point, "seconds": round(point["seconds"], 3)} for point in best.points],
    }  # fmt: skip
