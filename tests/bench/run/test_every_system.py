"""Every system goes the whole way: one training step, predictions, weights on disk, every figure of suite hccr."""

from pathlib import Path

import numpy as np
import pytest
import pytorch_lightning as pl
from fake.image_folder import stroke

from bench.measurements._row import Row
from bench.plugins import MEASUREMENTS, SUITES, systems
from bench.records.record import status_of
from bench.training.train import Hardware, expected_warnings, predict
from datamodules._base import CharacterDataModule, DatasetInfo, Splits
from datamodules._characters import Characters
from tasks.classification import ClassificationTask
from tasks.recogniser import load_recogniser, save_weights

CLASSES = 8
FIGURES = SUITES.load("hccr").SUITE.measurements


class Strokes(CharacterDataModule):
    """Eight directions of strokes, in memory."""

    def load(self) -> Splits:
        parts = [strokes(count, seed) for seed, count in enumerate((64, 256, 24))]
        return Splits(tuple("abcdefgh"), *parts)

    def describe(self, splits: Splits) -> DatasetInfo:
        return DatasetInfo("strokes", CLASSES, {}, "", "", True)


def strokes(count: int, seed: int) -> Characters:
    rng = np.random.default_rng(seed)
    labels = [index % CLASSES for index in range(count)]
    return Characters.pack([stroke(label, CLASSES, rng) for label in labels], labels)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("system", systems())
def test_one_step_and_every_figure(system: str, tmp_path: Path) -> None:
    data = Strokes()
    with expected_warnings():
        pl.seed_everything(0, verbose=False)
        task = ClassificationTask(system, CLASSES, "light")
        trainer = pl.Trainer(
            max_epochs=1, limit_train_batches=1, limit_val_batches=1, accelerator="cpu", logger=False,
            enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False, num_sanity_val_steps=0,
        )  # fmt: skip
        trainer.fit(task, datamodule=data)
    predictions = predict(task, data, Hardware("cpu"))
    weights = tmp_path / "weights.safetensors"
    save_weights(task.network, weights)
    row = Row(
        system=system, architecture=system, recogniser=load_recogniser(system, CLASSES, weights), datamodule=data,
        predictions=predictions, weights=weights, classes=CLASSES, rounds=10, seed=0,
    )  # fmt: skip
    found = {name: MEASUREMENTS.load(name).measure(row) for name in FIGURES}
    assert status_of({name: figure.as_dict("", "") for name, figure in found.items()}) == "whole"
    assert all(figure.value is not None for figure in found.values())
    probabilities = row.recogniser(data.test.image(0))
    assert probabilities.shape == (CLASSES,)
    assert probabilities.sum() == pytest.approx(1, abs=1e-4)
    assert probabilities[predictions.top[0, 0]] == pytest.approx(probabilities.max(), abs=1e-3)  # one step parts few
    assert predictions.probability[0] == pytest.approx(probabilities.max(), abs=1e-3)
