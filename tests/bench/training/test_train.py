"""Training leaves safetensors and a curve, and an interruption changes nothing."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fake.image_folder import write_folder
from fake.plugins import offer
from safetensors.torch import load_file

from bench.training import train as train_module
from bench.training.events import Event
from bench.training.train import Hardware, interruptible, predict, train
from bench.training.weights_metadata import read_metadata
from datamodules.image_folder import ImageFolder
from tasks.architectures import ARCHITECTURES
from tasks.recipes import recipe_for
from tasks.recogniser import load_recogniser

CPU = Hardware("cpu")


class Silent:
    """Hears of epochs; interrupts, as Ctrl-C does, when one is over."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.stop_after = stop_after
        self.heard: list[Event] = []

    def __call__(self, event: Event) -> None:
        self.heard.append(event)
        if event.scores and event.done == self.stop_after:
            raise KeyboardInterrupt


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ImageFolder:
    offer(tmp_path / "acme", monkeypatch)
    return ImageFolder(write_folder(tmp_path / "strokes", train=60, test=10))


def fit(data: ImageFolder, folder: Path, recipe: str = "light", progress: Any = None, seed: int = 3) -> Any:
    folder.mkdir(exist_ok=True)
    fresh = ImageFolder(data.data_root)  # as another process would load it
    settings = replace(recipe_for(recipe, ARCHITECTURES.load("acme_tiny").RECIPE), epochs=5.0)
    return train("acme_tiny", settings, fresh, folder, seed, CPU, progress or Silent())


def test_what_training_leaves(data: ImageFolder, tmp_path: Path) -> None:
    progress = Silent()
    task, outcome = fit(data, tmp_path / "a", progress=progress)
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["curve.json", "weights.safetensors"]
    stored = load_file(outcome.weights)  # no pickle
    assert all(torch.equal(value, stored[name]) for name, value in task.network.state_dict().items())
    curve = json.loads((tmp_path / "a" / "curve.json").read_text())
    assert [point["epoch"] for point in curve] == [1, 2, 3, 4, 5]
    assert {"train_loss", "val_loss", "val_accuracy"} <= set(curve[0])
    assert curve[-1]["val_accuracy"] > 0.8  # of two classes
    assert [event.done for event in progress.heard if event.scores] == [1, 2, 3, 4, 5]
    assert {event.epochs for event in progress.heard} == {5}
    assert outcome.seconds > 0
    assert outcome.precision == "32-true"
    said = read_metadata(outcome.weights)
    assert (said.system.split("+")[0], said.dataset, said.synthetic) == ("acme_tiny", data.info.name, False)
    assert said.labels == data.labels
    assert said.licence == data.info.licence != ""


def test_the_same_seed_repeats_and_another_does_not(data: ImageFolder, tmp_path: Path) -> None:
    first, again, other = (
        load_file(fit(data, tmp_path / name, seed=seed)[1].weights) for name, seed in (("a", 3), ("b", 3), ("c", 4))
    )
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


@pytest.mark.parametrize("recipe", ["light", "paper"])  # one-cycle by step, plateau by validation loss; both drop out
@pytest.mark.parametrize("stop_after", [2, 4])
def test_an_interrupted_training_ends_as_an_uninterrupted_one(
    data: ImageFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recipe: str, stop_after: int
) -> None:
    monkeypatch.setattr(train_module, "RESUME_EVERY_S", -1.0)
    plateaus = watched_plateaus(monkeypatch)
    whole = fit(data, tmp_path / "whole", recipe)[1]
    states = [dict(vars(schedule)) for schedule in plateaus]
    with pytest.raises(KeyboardInterrupt):
        fit(data, tmp_path / "parts", recipe, Silent(stop_after))
    assert (tmp_path / "parts" / "last.ckpt").exists()
    assert not (tmp_path / "parts" / "weights.safetensors").exists()
    progress = Silent()
    parts = fit(data, tmp_path / "parts", recipe, progress)[1]
    assert progress.heard[0].done >= stop_after - 1  # it went on, and did not start again
    left, right = load_file(whole.weights), load_file(parts.weights)
    assert all(torch.equal(left[name], right[name]) for name in left)
    assert parts.curve == whole.curve
    assert not (tmp_path / "parts" / "last.ckpt").exists()
    for name in ("last_epoch", "best", "num_bad_epochs") if recipe == "paper" else ():
        assert vars(plateaus[-1])[name] == states[0][name]
    assert len(plateaus) == (3 if recipe == "paper" else 0)


def watched_plateaus(monkeypatch: pytest.MonkeyPatch) -> list[torch.optim.lr_scheduler.ReduceLROnPlateau]:
    """Plateau schedules as they are made from here on."""
    made = []

    class Watched(torch.optim.lr_scheduler.ReduceLROnPlateau):
        def __init__(self, *arguments: Any, **settings: Any) -> None:
            super().__init__(*arguments, **settings)
            made.append(self)

    monkeypatch.setattr("tasks.classification.ReduceLROnPlateau", Watched)
    return made


def test_a_resumed_training_counts_the_time_before(
    data: ImageFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_module, "RESUME_EVERY_S", -1.0)
    with pytest.raises(KeyboardInterrupt):
        fit(data, tmp_path / "parts", progress=Silent(2))
    checkpoint = tmp_path / "parts" / "last.ckpt"
    state = torch.load(checkpoint, weights_only=True)
    state["callbacks"]["Curve"]["spent"] += 1000.0
    torch.save(state, checkpoint)
    assert 1000 < fit(data, tmp_path / "parts")[1].seconds < 1100


def test_checkpoints_are_written_whole_or_not_at_all(
    data: ImageFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_module, "RESUME_EVERY_S", -1.0)
    with pytest.raises(KeyboardInterrupt):
        fit(data, tmp_path / "a", progress=Silent(2))
    before = (tmp_path / "a" / "last.ckpt").read_bytes()

    def full(state: Any, path: Path) -> None:
        path.write_bytes(b"half a checkpoint")
        raise OSError("no space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(OSError, match="no space left"):
        fit(data, tmp_path / "a")
    assert (tmp_path / "a" / "last.ckpt").read_bytes() == before
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["last.ckpt"]


def test_predictions_are_the_recognisers_answers_in_test_order(data: ImageFolder, tmp_path: Path) -> None:
    task, outcome = fit(data, tmp_path / "a")
    found = predict(task, data, CPU)
    assert found.labels.tolist() == data.test.labels.tolist()
    recogniser = load_recogniser("acme_tiny", 2, outcome.weights)
    for index in range(len(data.test)):
        probabilities = recogniser(data.test.image(index))
        assert found.top[index].tolist() == np.argsort(-probabilities).tolist()
        assert found.probability[index] == pytest.approx(probabilities.max(), abs=1e-5)


def test_an_interrupt_stays_one() -> None:
    with pytest.raises(KeyboardInterrupt), interruptible():
        raise SystemExit(1)  # what Lightning makes of it


@pytest.mark.parametrize(
    ("accelerator", "gpu", "threads", "parallel"),
    [("cpu", False, 2, 2), ("cpu", False, 1, 1), ("cpu", True, 16, 2), ("auto", True, 16, 1), ("auto", False, 8, 2)],
)
def test_two_rows_train_at_once_on_cpus_with_two_threads(
    monkeypatch: pytest.MonkeyPatch, accelerator: str, gpu: bool, threads: int, parallel: int
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: gpu)
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    assert Hardware.of(accelerator) == Hardware(accelerator, parallel)
