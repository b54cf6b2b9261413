"""Between quantising and packing: what a network keeps in float32 learns again, and what that took."""

import copy
from collections.abc import Mapping
from typing import Any

import pytorch_lightning as pl

from bench.run.plan import Plan
from bench.system import System
from bench.training.train import Progress, expected_warnings, interruptible, precision_for
from datamodules._base import CharacterDataModule
from datamodules._unlabelled import Unlabelled, images_of
from tasks.compression.packing import Quantised
from tasks.compression.storage import parse_storage
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
_TOLD_EVERY = 8  # steps; bars need no more


def retrain(
    plan: Plan, system: System, seed: int, student: Quantised, teacher: Recogniser, progress: Progress
) -> tuple[Quantised, Record]:
    """Let what is not quantised learn, from the teacher or from labels, as the system's storage says.

    Without labels one learning rate is tried, and nothing is chosen. With labels each of CONVENTIONAL_RATES starts from
    the same student, and the one with the best validation accuracy is kept; its seconds are those of all three, as
    whoever does not know the rate needs them, and those of the best alone stand beside.

    Args:
        plan: of the run.
        system: with a storage that learns.
        seed: of order and augmentation.
        student: is left as it is.
        teacher: the trained network that was quantised.
        progress: is told after each epoch.

    Returns: the student as it has learnt, on the CPU, and what the record says of it.

    Raises:
        ValueError: nothing is left to learn.
    """
    if system.learned == "conventional":
        return _with_labels(plan, system, seed, student, progress)
    return _without_labels(plan, system, seed, student, teacher, progress)


def settings(plan: Plan, system: System) -> Record:
    """How a row learns again, as its record says it before and after: other settings are another training.

    Args:
        plan: of the run.
        system: with a storage that learns.
    """
    trained = plan.recipe(system)
    recipe = retraining_recipe(trained, RATE)
    storage = parse_storage(system.storage)
    partly = storage is not None and (storage.layers or storage.within is not None)
    rates = CONVENTIONAL_RATES if system.learned == "conventional" else (RATE,)
    said = {
        "method": system.learned, "optimizer": recipe.optimizer, "schedule": recipe.schedule, "batch": recipe.batch,
        "epochs": recipe.all_epochs, "rates": [{"lr": retraining_recipe(trained, rate).lr} for rate in rates],
        **({"layers": LAYERS} if partly else {}),
    }  # fmt: skip
    if system.learned == "conventional":
        return {**said, "loss": loss_of_labels(recipe)}
    source, own = plan.unlabelled, plan.datamodule
    images = {
        "name": source.name if source else own.info.name,
        "fingerprint": source.fingerprint if source else own.fingerprint, "draws": DRAWS,
    }  # fmt: skip
    return {**said, "loss": LOSSES["kl"], "unlabelled": images}


def _without_labels(
    plan: Plan, system: System, seed: int, student: Quantised, teacher: Recogniser, progress: Progress
) -> tuple[Quantised, Record]:
    found = plan.unlabelled or images_of(plan.datamodule)
    classes = plan.datamodule.info.classes
    task = RetrainingTask(copy.deepcopy(student), teacher, retraining_recipe(plan.recipe(system), RATE))
    source = found.at_most(most_images(task.network, classes, task.draws))
    if plan.unlabelled is not None:
        source.say_conversion(student.channels, student.size)
    _fit(plan, system, task, Unlabelled(source, plan.datamodule, seed), _Teller(progress, 1, 0))
    said = {
        "unlabelled": {
            "name": found.name, "fingerprint": found.fingerprint, "synthetic": found.synthetic,
            "images": len(source.images), "of": len(found.images), "draws": task.draws, "size": found.described(),
        },
        "seconds_teacher": round(task.seconds_teacher, 3),
        "seconds_statistics": round(task.seconds_statistics, 3),
    }  # fmt: skip
    return task.student, {**settings(plan, system), **_said(task, [task]), **said}


def _with_labels(
    plan: Plan, system: System, seed: int, student: Quantised, progress: Progress
) -> tuple[Quantised, Record]:
    tasks = []
    for number, rate in enumerate(CONVENTIONAL_RATES):
        task = ConventionalTask(copy.deepcopy(student), retraining_recipe(plan.recipe(system), rate))
        plan.datamodule.seed = seed
        _fit(plan, system, task, plan.datamodule, _Teller(progress, len(CONVENTIONAL_RATES), number))
        tasks.append(task)
    best = max(tasks, key=lambda one: one.points[-1]["accuracy"])  # the first, fastest rate where several are alike
    return best.student, {**settings(plan, system), **_said(best, tasks)}


def _fit(plan: Plan, system: System, task: Retraining, datamodule: CharacterDataModule, teller: pl.Callback) -> None:
    hardware = plan.request.hardware
    with expected_warnings(), interruptible():
        pl.seed_everything(datamodule.seed, verbose=False)
        trainer = pl.Trainer(
            max_epochs=task.recipe.all_epochs, accelerator=hardware.accelerator, devices=1,
            precision=precision_for(system.architecture, hardware.accelerator),  # type: ignore[arg-type]
            callbacks=[teller], logger=False, enable_checkpointing=False, enable_progress_bar=False,
            enable_model_summary=False, num_sanity_val_steps=0,
        )  # fmt: skip
        trainer.validate(task, datamodule=datamodule, verbose=False)
        trainer.fit(task, datamodule=datamodule)
    task.cpu()
    task.network.eval()


def _said(best: Retraining, tasks: list[Any]) -> Record:
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


class _Teller(pl.Callback):
    """Passes on how one of several fits goes."""

    def __init__(self, progress: Progress, fits: int, number: int) -> None:
        self.progress, self.fits, self.number = progress, fits, number

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """Report every few steps."""
        if trainer.global_step % _TOLD_EVERY == 0:
            self._tell(trainer, trainer.fit_loop.batch_idx / max(1, trainer.num_training_batches), {})

    def on_train_epoch_end(self, trainer: pl.Trainer, task: pl.LightningModule) -> None:
        """Report the epoch's accuracy."""
        self._tell(trainer, 1, {name: float(value) for name, value in trainer.callback_metrics.items()})

    def _tell(self, trainer: pl.Trainer, share: float, scores: Mapping[str, float]) -> None:
        epochs = trainer.max_epochs or 1
        done = self.number * epochs + trainer.current_epoch + share
        self.progress.epoch(done, self.fits * epochs, dict(scores))
