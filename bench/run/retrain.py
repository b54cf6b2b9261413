"""Retrains a quantised network: what it keeps in float32 learns again, without labels or with them."""

import copy
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pytorch_lightning as pl

from bench.run.plan import Plan
from bench.training.events import EVERY_STEPS, Event, Tell
from bench.training.train import expected_warnings, interruptible, precision_for
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
    plan: Plan,
    task: ClassificationTask,
    storage: Storage,
    seed: int,
    student: Quantised,
    teacher: Recogniser,
    tell: Tell,
) -> tuple[Quantised, Record]:
    """Train what is not quantised, by the teacher's answers or by labels, as the system's storage says.

    Without labels one learning rate is tried, and nothing is chosen. With labels each of CONVENTIONAL_RATES starts from
    the same student, and the one with the best validation accuracy is kept. Its seconds are those of all rates, which
    are needed by whoever does not know the best one; those of the best rate alone are recorded too.

    Args:
        plan: of the run.
        task: of the row; says its architecture and recipe.
        storage: of the row; it retrains.
        seed: of order and augmentation.
        student: is left as it is.
        teacher: the trained network that was quantised.
        tell: takes an event after each epoch.

    Returns: the trained student, on the CPU, and what the record says of it.

    Raises:
        ValueError: nothing is left to learn.
    """
    recipe, classes = task.recipe, task.classes
    said = retraining_settings(plan, storage, recipe)
    accelerator = plan.request.hardware.accelerator
    fit = partial(_fit, accelerator, precision_for(task.architecture, accelerator))
    if storage.learned == "conventional":
        tasks = []
        for number, rate in enumerate(CONVENTIONAL_RATES):
            labelled = ConventionalTask(copy.deepcopy(student), retraining_recipe(recipe, rate))
            plan.datamodule.seed = seed
            fit(labelled, plan.datamodule, _Progress(tell, len(CONVENTIONAL_RATES), number))
            tasks.append(labelled)
        best = max(tasks, key=lambda one: one.points[-1]["accuracy"])  # the first, fastest rate where several are equal
        return best.student, {**said, **_outcome(best, tasks)}
    images = plan.unlabelled or images_of(plan.datamodule)
    unlabelled = RetrainingTask(copy.deepcopy(student), teacher, retraining_recipe(recipe, RATE))
    used = images.at_most(most_images(unlabelled.network, classes, unlabelled.draws))
    if plan.unlabelled is not None:
        used.say_conversion(student.channels, student.size)
    fit(unlabelled, Unlabelled(used, plan.datamodule, seed), _Progress(tell, 1, 0))
    source = {
        "name": images.name, "fingerprint": images.fingerprint, "synthetic": images.synthetic,
        "images": len(used.images), "of": len(images.images), "draws": unlabelled.draws, "size": images.described(),
    }  # fmt: skip
    seconds = {
        "seconds_teacher": round(unlabelled.seconds_teacher, 3),
        "seconds_statistics": round(unlabelled.seconds_statistics, 3),
    }
    return unlabelled.student, {**said, **_outcome(unlabelled, [unlabelled]), "unlabelled": source, **seconds}


def retraining_settings(plan: Plan, storage: Storage, trained: Recipe) -> Record:
    """How a row is retrained, as its record says it before and after: other settings are another training.

    Args:
        plan: of the run.
        storage: of the row; it retrains.
        trained: recipe that its parent is trained with.
    """
    recipe = retraining_recipe(trained, RATE)
    partly = storage.settings.layers or storage.settings.within is not None
    rates = CONVENTIONAL_RATES if storage.learned == "conventional" else (RATE,)
    said = {
        "method": storage.learned, "optimizer": recipe.optimizer, "schedule": recipe.schedule, "batch": recipe.batch,
        "epochs": recipe.all_epochs, "rates": [{"lr": retraining_recipe(trained, rate).lr} for rate in rates],
        **({"layers": LAYERS} if partly else {}),
    }  # fmt: skip
    if storage.learned == "conventional":
        return {**said, "loss": loss_of_labels(recipe)}
    source, own = plan.unlabelled, plan.datamodule
    images = {
        "name": source.name if source else own.info.name,
        "fingerprint": source.fingerprint if source else own.fingerprint, "draws": DRAWS,
    }  # fmt: skip
    return {**said, "loss": LOSSES["kl"], "unlabelled": images}


def _fit(
    accelerator: str, precision: str, task: Retraining, datamodule: CharacterDataModule, progress: pl.Callback
) -> None:
    with expected_warnings(), interruptible():
        pl.seed_everything(datamodule.seed, verbose=False)
        trainer = pl.Trainer(
            max_epochs=task.recipe.all_epochs, accelerator=accelerator, devices=1,
            precision=precision,  # type: ignore[arg-type]
            callbacks=[progress], logger=False, enable_checkpointing=False, enable_progress_bar=False,
            enable_model_summary=False, num_sanity_val_steps=0,
        )  # fmt: skip
        trainer.validate(task, datamodule=datamodule, verbose=False)
        trainer.fit(task, datamodule=datamodule)
    task.cpu()
    task.network.eval()


def _outcome(best: Retraining, tasks: Sequence[Retraining]) -> Record:
    """What a record says of the fits: rates, seconds and the curve of the best one."""
    rates = [
        {"lr": one.recipe.lr, "seconds": round(one.points[-1]["seconds"], 3), "accuracy": one.points[-1]["accuracy"]}
        for one in tasks
    ]
    epochs = len(best.points) - 1
    return {
        "learning": best.learning, "lr": best.recipe.lr, "rates": rates,
        "seconds": round(sum(rate["seconds"] for rate in rates), 3),
        "seconds_best": round(best.points[-1]["seconds"], 3),
        "seconds_epoch": round((best.points[-1]["seconds"] - best.seconds_before) / epochs, 3),
        "curve": [{**point, "seconds": round(point["seconds"], 3)} for point in best.points],
    }  # fmt: skip


class _Progress(pl.Callback):
    """Tells of the progress of one of several fits."""

    def __init__(self, tell: Tell, fits: int, number: int) -> None:
        self.tell, self.fits, self.number = tell, fits, number

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """Tell every few steps."""
        if trainer.global_step % EVERY_STEPS == 0:
            self._tell(trainer, trainer.fit_loop.batch_idx / max(1, trainer.num_training_batches), {})

    def on_train_epoch_end(self, trainer: pl.Trainer, task: pl.LightningModule) -> None:
        """Tell the epoch's accuracy."""
        self._tell(trainer, 1, {name: float(value) for name, value in trainer.callback_metrics.items()})

    def _tell(self, trainer: pl.Trainer, share: float, scores: Mapping[str, float]) -> None:
        epochs = trainer.max_epochs or 1
        done = self.number * epochs + trainer.current_epoch + share
        self.tell(Event("epoch", done=done, epochs=self.fits * epochs, scores=dict(scores)))
