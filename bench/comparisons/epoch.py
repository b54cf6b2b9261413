"""An epoch through the suite against a bare PyTorch loop with the same loader, augmentation and metrics."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from torch.nn.functional import cross_entropy
from torchmetrics.classification import MulticlassAccuracy

from bench.record import Measurement
from bench.statistics import bootstrap_ratio
from bench.train import Curve, expected_warnings
from datamodules.synthetic_hwdb import SyntheticHWDB
from tasks.augmentation import CharacterAugmentation
from tasks.classification import ClassificationTask, make_optimizer, make_schedule

GOAL = "at most 1.10 times a bare loop"
LIMIT = 1.10
VERSION = "1"
SYSTEM = "lenet5"  # the cheapest network: overhead weighs most beside it
CLASSES, WRITERS = 30, (100, 1)
ROUNDS = 7


def compare() -> Measurement:
    """Median ratio of paired epochs: forward, backward, optimiser step and a validation pass with metrics."""
    datamodule = SyntheticHWDB(CLASSES, WRITERS)
    datamodule.setup()
    suite, bare = _suite_epochs(datamodule), _bare_epochs(datamodule)
    logs = []
    for number in range(ROUNDS + 1):
        first, second = (suite, bare) if number % 2 else (bare, suite)
        seconds = {first: first(), second: second()}
        logs.append(np.log(seconds[suite] / seconds[bare]))
    ratio, low, high = bootstrap_ratio(np.array(logs[1:]), seed=0)  # the first round warms up
    return Measurement(ratio, {"n": ROUNDS, "ci_low": low, "ci_high": high})


class _Silent:
    def epoch(self, done: float, of: int, scores: dict[str, float]) -> None:
        """Hears, as the command line's bars do, and shows nothing."""


def _suite_epochs(datamodule: SyntheticHWDB) -> Callable[[], float]:
    """One epoch of Trainer.fit, timed between its hooks so that set-up is outside."""

    class Clock(pl.Callback):
        seconds = 0.0

        def on_train_epoch_start(self, *_: Any) -> None:
            self.started = time.perf_counter()

        def on_train_end(self, *_: Any) -> None:
            self.seconds = time.perf_counter() - self.started

    def epoch() -> float:
        clock, curve = Clock(), Curve(Path(), _Silent(), 0)
        with expected_warnings():
            trainer = pl.Trainer(
                max_epochs=1, accelerator="cpu", logger=False, enable_checkpointing=False, callbacks=[clock, curve],
                enable_progress_bar=False, enable_model_summary=False, num_sanity_val_steps=0,
            )  # fmt: skip
            trainer.fit(ClassificationTask(SYSTEM, CLASSES), datamodule=datamodule)
        return clock.seconds

    return epoch


def _bare_epochs(datamodule: SyntheticHWDB) -> Callable[[], float]:
    """The same epoch without Lightning: same network, batches, augmentation, optimiser, schedule and metrics."""

    def epoch() -> float:
        task = ClassificationTask(SYSTEM, CLASSES)
        network, recipe = task.network, task.recipe
        datamodule.take_input(task.channels, task.size)
        datamodule.take_augmentation(CharacterAugmentation(recipe.augmentation, task.size))
        datamodule.batch_size = recipe.batch
        top1, top5 = (
            MulticlassAccuracy(CLASSES, average="micro"),
            MulticlassAccuracy(CLASSES, top_k=5, average="micro"),
        )
        loader, evaluation = datamodule.train_dataloader(), datamodule.val_dataloader()
        optimizer = make_optimizer(recipe, network.parameters())
        schedule: Any = make_schedule(recipe, optimizer, len(loader), len(loader))
        started = time.perf_counter()
        network.train()
        for batch in loader:
            logits = network(batch["images"])
            loss = cross_entropy(logits, batch["labels"], label_smoothing=recipe.label_smoothing)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
        network.eval()
        with torch.no_grad():
            for batch in evaluation:
                logits = network(batch["images"])
                top1.update(logits, batch["labels"])
                top5.update(logits, batch["labels"])
        top1.compute(), top5.compute()
        return time.perf_counter() - started

    return epoch
