"""The task as a Lightning user meets it, and what recipes make of it."""

import warnings
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from fake.image_folder import stroke
from torch.utils.data import DataLoader

from datamodules._base import CharacterDataModule, DatasetInfo, Splits
from datamodules._characters import Characters
from tasks.augmentation import CharacterAugmentation
from tasks.classification import ClassificationTask
from tasks.normalised import Normalised
from tasks.recipe import Augmentation, Recipe

CLASSES = 4


def strokes(each: int, seed: int) -> Characters:
    rng = np.random.default_rng(seed)
    labels = [label for _ in range(each) for label in range(CLASSES)]
    return Characters.pack([stroke(label, CLASSES, rng) for label in labels], labels)


class Strokes(CharacterDataModule):
    """Four directions of strokes, in memory."""

    def __init__(self, each: int = 24) -> None:
        super().__init__()
        self.each = each

    def load(self) -> Splits:
        return Splits(tuple("abcd"), strokes(self.each, 0), strokes(8, 1), strokes(12, 2))

    def describe(self, splits: Splits) -> DatasetInfo:
        return DatasetInfo("strokes", CLASSES, {}, "", "", True)


def recipe(**changes: Any) -> Recipe:
    settings = {
        "name": "test",
        "optimizer": "adamw",
        "lr": 3e-3,
        "schedule": "constant",
        "batch": 16,
        "epochs": 4,
    }
    return Recipe(**{**settings, **changes})


def trainer(epochs: int = 1, **changes: Any) -> pl.Trainer:
    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    return pl.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        enable_model_summary=False,
        num_sanity_val_steps=0,
        **quiet,
        **changes,
    )


@pytest.fixture(autouse=True)
def _workers_are_not_wanted() -> Any:
    """Lightning advises more workers, and some of its own code is behind its torch."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*does not have many workers.*")
        warnings.filterwarnings("ignore", ".*isinstance.treespec, LeafSpec..*")
        warnings.filterwarnings("ignore", ".*configure_optimizers.*returned.*None.*")
        yield


def test_a_lightning_user_trains_above_chance() -> None:
    pl.seed_everything(0, verbose=False)
    task, data = ClassificationTask("lenet5", CLASSES, recipe()), Strokes()
    run = trainer(6)
    run.fit(task, datamodule=data)
    assert run.callback_metrics["val_accuracy"] > 0.9  # chance is 0.25
    (scores,) = run.test(task, datamodule=data, verbose=False)
    found = run.predict(task, datamodule=data)
    top = torch.cat([batch["top"] for batch in found])
    labels = torch.cat([batch["labels"] for batch in found])
    assert labels.tolist() == data.test.labels.tolist()
    assert scores["test_accuracy"] == pytest.approx(float((top[:, 0] == labels).float().mean()))
    assert sorted(top[0].tolist()) == [0, 1, 2, 3]  # all four classes, best first


def test_the_task_says_what_it_takes() -> None:
    task, data = ClassificationTask("shui_cnn", CLASSES, "light"), Strokes()
    task.trainer = trainer()
    task.trainer.datamodule = data
    task.setup("fit")
    assert (data.channels, data.size, data.batch_size) == (1, 52, task.recipe.batch)
    batch = next(iter(data.train_dataloader()))
    assert batch["images"].shape == (min(64, task.recipe.batch), 1, 52, 52)


def test_training_batches_are_augmented_and_evaluation_batches_are_not() -> None:
    wild = recipe(augmentation=Augmentation(rotate=90.0, shift=0.3))
    task, data = ClassificationTask("lenet5", CLASSES, wild), Strokes()
    task.trainer = trainer()
    task.trainer.datamodule = data
    task.setup("fit")
    (keys,) = [next(iter(data.train_dataloader().sampler))]
    view = CharacterAugmentation(wild.augmentation, 32)
    wanted = [view(data.train.image(index), (data.seed, epoch, index)) for epoch, index in keys]
    assert (next(iter(data.train_dataloader()))["images"][:, 0].numpy() == np.stack(wanted)).all()
    first = [next(iter(data.val_dataloader()))["images"] for _ in range(2)]
    assert torch.equal(*first)


def test_fitting_without_a_character_datamodule_is_refused() -> None:
    task = ClassificationTask("lenet5", CLASSES, "light")
    batches = DataLoader([{"images": torch.zeros(1, 32, 32, dtype=torch.uint8), "labels": 0}])
    with pytest.raises(TypeError, match=r"needs a CharacterDataModule .* got NoneType; call Trainer.fit\(task, data"):
        trainer().fit(task, batches, batches)


def rates(settings: Recipe, epochs: int, losses: list[float] | None = None) -> list[float]:
    """The learning rate of every step, from an optimiser and schedule as Lightning gets them."""
    task, data = ClassificationTask("lenet5", CLASSES, settings), Strokes(16)  # 64 images, 4 steps an epoch
    found: list[float] = []

    class Watch(pl.Callback):
        def on_train_batch_start(self, trainer: pl.Trainer, *_: Any) -> None:
            found.append(trainer.optimizers[0].param_groups[0]["lr"])

        def on_validation_end(self, trainer: pl.Trainer, *_: Any) -> None:
            if losses:
                trainer.callback_metrics["val_loss"].fill_(losses[trainer.current_epoch])

    trainer(epochs, callbacks=[Watch()]).fit(task, datamodule=data)
    return found


def test_constant_rate() -> None:
    assert rates(recipe(lr=0.01), 2) == [0.01] * 8


def test_staircase_falls_every_stated_epochs() -> None:
    found = rates(recipe(lr=0.01, schedule="staircase", gamma=0.5, step_epochs=1.5), 4)
    assert found == pytest.approx([0.01] * 6 + [0.005] * 6 + [0.0025] * 4)


def test_one_cycle_rises_to_the_stated_rate_and_falls_to_nothing() -> None:
    found = rates(recipe(lr=0.01, schedule="onecycle"), 5)
    peak = found.index(max(found))
    assert max(found) == pytest.approx(0.01, rel=0.02)
    assert 1 <= peak <= 4
    assert found[: peak + 1] == sorted(found[: peak + 1])
    assert found[peak:] == sorted(found[peak:], reverse=True)
    assert found[0] <= 0.01 / 20
    assert found[-1] < 0.001


def test_plateau_falls_when_the_validation_loss_does_not() -> None:
    falling = [1.0 - 0.05 * epoch for epoch in range(13)]
    settings = recipe(lr=0.01, schedule="plateau", gamma=0.1)
    assert rates(settings, 13, falling) == [0.01] * 52
    stuck = rates(settings, 13, [1.0] * 13)
    assert stuck[:48] == [0.01] * 48  # one best and eleven without a better one: torch's patience of ten
    assert stuck[48:] == pytest.approx([0.001] * 4)


def test_only_weights_are_decayed() -> None:
    task = ClassificationTask("mobilenet_v2", CLASSES, recipe(weight_decay=0.1))
    task.trainer = trainer()
    optimizer = task.configure_optimizers()
    decay = {id(p): group["weight_decay"] for group in optimizer.param_groups for p in group["params"]}
    named = dict(task.network.named_parameters())
    assert len(decay) == len(named)
    for module in task.network.modules():
        for name, parameter in module.named_parameters(recurse=False):
            weighs = isinstance(module, torch.nn.Conv2d | torch.nn.Linear) and name == "weight"
            assert decay[id(parameter)] == (0.1 if weighs else 0.0)


@pytest.mark.parametrize(
    ("changes", "says"), [({"optimizer": "lion"}, "got 'lion'"), ({"schedule": "cosine"}, "got 'cosine'")]
)
def test_unknown_settings_are_named(changes: dict[str, str], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        trainer().fit(ClassificationTask("lenet5", CLASSES, recipe(**changes)), datamodule=Strokes())


@pytest.mark.parametrize("each", [24, 75])  # one short batch, or one whole batch of 256 and a short one
def test_nearest_mean_holds_the_mean_of_every_training_image(each: int) -> None:
    task, data = ClassificationTask("nearest_mean", CLASSES, "light"), Strokes(each)
    run = trainer()
    run.fit(task, datamodule=data)
    view = CharacterAugmentation(Augmentation(), 64)
    ink = np.stack([1 - view(data.train.image(i), (0, 0, i)) / 255 for i in range(len(data.train))])
    means = np.stack([ink[data.train.labels == label].mean(0).ravel() for label in range(CLASSES)])
    layer = task.network.network.means
    assert layer.weight.numpy() == pytest.approx(2 * means, abs=1e-5)
    assert layer.bias.numpy() == pytest.approx(-(means**2).sum(1), rel=1e-4)
    (scores,) = run.test(task, datamodule=data, verbose=False)
    test = np.stack([1 - view(data.test.image(i), (0, 0, i)) / 255 for i in range(len(data.test))])
    nearest = ((test.reshape(len(test), 1, -1) - means) ** 2).sum(2).argmin(1)
    assert scores["test_accuracy"] == pytest.approx((nearest == data.test.labels).mean())


def test_the_losses_of_several_heads_are_summed() -> None:
    task, data = ClassificationTask("fire_cascade", CLASSES, recipe(label_smoothing=0.1)), Strokes(4)
    found: list[torch.Tensor] = []
    task.network.register_forward_hook(lambda *call: found.append(call[2]))
    run = trainer(limit_train_batches=1)
    run.fit(task, datamodule=data)
    heads = next(output for output in found if isinstance(output, tuple))
    assert [logits.shape for logits in heads] == [(16, CLASSES)] * 3
    labels = next(iter(data.train_dataloader()))["labels"]
    smoothed = torch.nn.functional.one_hot(labels, CLASSES) * 0.9 + 0.1 / CLASSES
    wanted = sum(float(-(smoothed * logits.detach().log_softmax(1)).sum(1).mean()) for logits in heads)
    assert float(run.callback_metrics["train_loss"]) == pytest.approx(wanted, rel=1e-5)
    assert all(logits.shape == (16, CLASSES) for logits in found if not isinstance(logits, tuple))  # validation


def test_only_raw_grey_levels_are_taken() -> None:
    network = Normalised(torch.nn.Flatten())
    with pytest.raises(TypeError, match=r"wanted uint8 images with paper 255, got torch.float32"):
        network(torch.zeros(1, 1, 4, 4))


def test_ink_is_one_and_paper_nothing() -> None:
    grey = torch.tensor([0, 51, 255], dtype=torch.uint8)
    network = Normalised(torch.nn.Flatten(), "channels_last")
    assert network(grey.view(1, 1, 1, 3)).tolist()[0] == pytest.approx([1.0, 0.8, 0.0])
    assert network(grey.view(1, 3, 1, 1)).tolist()[0] == pytest.approx([0.0, 0.2, 1.0])  # colour as it is


def test_the_light_recipe_is_the_default() -> None:
    assert ClassificationTask("resnet:18", CLASSES).recipe.name == "light"
