"""An epoch through the suite against a bare PyTorch loop with the same loader, augmentation and metrics."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.optim import Optimizer
from torchmetrics.classification import MulticlassAccuracy

from bench.comparisons._paired import alternate, median_ratio
from bench.records.record import Measurement
from bench.training.train import QUIET, Curve, expected_warnings
from datamodules.synthetic_hwdb import SyntheticHWDB
from tasks.augmentation import CharacterAugmentation
from tasks.classification import ClassificationTask, make_optimizer, make_schedule

GOAL = "at most 1.10 times a bare loop"
LIMIT = 1.10
VERSION = "2"
SYSTEM = "lenet5"  # the cheapest network, for which overhead matters most
CLASSES, WRITERS = 30, (100, 1)
EPOCHS = 3  # of each fit; the first warms up and is not counted
ROUNDS = 9


def compare() -> Measurement:
    """Median ratio of paired fits: forward, backward, optimiser step and a validation pass with metrics, per epoch.

    CPU time of one thread, because other processes change the wall clock by more than the overhead.
    """
    datamodule = SyntheticHWDB(CLASSES, WRITERS)
    datamodule.setup()
    suite, bare = _suite_epochs(datamodule), _bare_epochs(datamodule)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        seconds = alternate(ROUNDS, suite, bare)
    finally:
        torch.set_num_threads(threads)
    return median_ratio(seconds[:, 0] / seconds[:, 1])


def _suite_epochs(datamodule: SyntheticHWDB) -> Callable[[int], float]:
    """Trainer.fit, timed between its hooks from the second epoch on."""

    class Clock(pl.Callback):
        seconds = 0.0

        def on_train_epoch_start(self, trainer: pl.Trainer, *_: Any) -> None:
            if trainer.current_epoch == 1:
                self.started = time.process_time()

        def on_train_end(self, *_: Any) -> None:
            self.seconds = time.process_time() - self.started

    def epochs(_: int) -> float:
        clock, curve = Clock(), Curve(Path(), lambda event: None, 0)
        with expected_warnings():
            trainer = pl.Trainer(
                max_epochs=EPOCHS, accelerator="cpu", callbacks=[clock, curve], num_sanity_val_steps=0, **QUIET
            )
            trainer.fit(ClassificationTask(SYSTEM, CLASSES), datamodule=datamodule)
        return clock.seconds

    return epochs


def _bare_epochs(datamodule: SyntheticHWDB) -> Callable[[int], float]:
    """Without Lightning: the same network, batches, augmentation, optimiser, schedule, losses and metrics."""

    def epochs(_: int) -> float:
        task = ClassificationTask(SYSTEM, CLASSES)
        recipe = task.recipe
        datamodule.set_input(task.channels, task.size)
        datamodule.set_augmentation(CharacterAugmentation(recipe.augmentation, task.size))
        datamodule.batch_size = recipe.batch
        scores = [MulticlassAccuracy(CLASSES, top_k=k, average="micro") for k in (1, 5)]
        loader, evaluation = datamodule.train_dataloader(), datamodule.val_dataloader()
        optimizer = make_optimizer(recipe, task.network.parameters())
        schedule: Any = make_schedule(recipe, optimizer, EPOCHS * len(loader), len(loader))
        started = 0.0
        for number in range(EPOCHS):
            if number == 1:
                started = time.process_time()
            _bare_training(task.network, loader, optimizer, schedule, recipe.label_smoothing)
            _bare_validation(task.network, evaluation, scores)
        return time.process_time() - started

    return epochs


def _bare_training(network: nn.Module, loader: Any, optimizer: Optimizer, schedule: Any, smoothing: float) -> float:
    network.train()
    total = torch.zeros(())
    for batch in loader:
        loss = cross_entropy(network(batch["images"]), batch["labels"], label_smoothing=smoothing)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
        total += loss.detach()
    return float(total) / len(loader)


@torch.no_grad()
def _bare_validation(network: nn.Module, loader: Any, scores: list[MulticlassAccuracy]) -> list[float]:
    network.eval()
    total, count = torch.zeros(()), 0
    for batch in loader:
        logits, labels = network(batch["images"]), batch["labels"]
        total += cross_entropy(logits, labels) * len(labels)
        count += len(labels)
        for score in scores:
            score.update(logits, labels)
    figures = [float(score.compute()) for score in scores]
    for score in scores:
        score.reset()
    return [float(total) / count, *figures]
