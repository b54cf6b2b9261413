"""Both trainings of a cascade, as a Lightning user meets them."""

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from fake import tiny_cascade
from fake.image_folder import stroke
from torch import nn

from datamodules._base import CharacterDataModule, DatasetInfo, Splits
from datamodules._characters import NO_WRITER, Characters
from tasks.architectures import ARCHITECTURES
from tasks.classification import ClassificationTask
from tasks.early_exits import training as heads
from tasks.early_exits.cascade import cascade_of
from tasks.early_exits.training import DRAWS, writers_apart
from tasks.normalised import Normalised
from tasks.recipe import Augmentation, Heads, Recipe
from tasks.recipes import recipe_for

CLASSES = 4
SEPARATE = recipe_for("light", tiny_cascade.RECIPE)


def strokes(each: int, seed: int) -> Characters:
    rng = np.random.default_rng(seed)
    labels = [label for _ in range(each) for label in range(CLASSES)]
    return Characters.pack([stroke(label, CLASSES, rng) for label in labels], labels)


class Strokes(CharacterDataModule):
    """Four directions of strokes, in memory."""

    def load(self) -> Splits:
        return Splits(tuple("abcd"), strokes(24, 0), strokes(8, 1), strokes(12, 2))

    def describe(self, splits: Splits) -> DatasetInfo:
        return DatasetInfo("strokes", CLASSES, {}, "", "", True)


class Watch(pl.Callback):
    """Keeps the weights as they are at the end of each epoch, and what learned in it."""

    def __init__(self) -> None:
        self.states: list[dict[str, torch.Tensor]] = []
        self.learning: list[tuple[str, ...]] = []
        self.rates: list[float] = []

    def on_train_epoch_end(self, trainer: pl.Trainer, task: Any) -> None:
        self.states.append({name: value.clone() for name, value in task.network.state_dict().items()})
        self.learning.append(cascade_of(task.network).learning)
        self.rates.append(trainer.optimizers[0].param_groups[0]["lr"])


def trainer(epochs: int, *callbacks: pl.Callback) -> pl.Trainer:
    return pl.Trainer(
        max_epochs=epochs, accelerator="cpu", enable_model_summary=False, num_sanity_val_steps=0, logger=False,
        enable_checkpointing=False, enable_progress_bar=False, callbacks=list(callbacks),
    )  # fmt: skip


def fit(
    recipe: Recipe, epochs: int, seed: int = 0, begin: nn.Module | None = None, **given: Any
) -> tuple[ClassificationTask, Watch]:
    pl.seed_everything(seed, verbose=False)
    task, watch = ClassificationTask("tiny_cascade", CLASSES, replace(recipe, batch=16, lr=1e-2)), Watch()
    if begin is not None:
        task.begin_with(begin)
    trainer(epochs, watch).fit(task, datamodule=Strokes(), **given)
    return task, watch


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The tiny cascade is the only architecture; Lightning's advice and its dated code are not wanted."""
    monkeypatch.setattr(ARCHITECTURES, "load", lambda name: tiny_cascade)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*does not have many workers.*")
        warnings.filterwarnings("ignore", ".*isinstance.treespec, LeafSpec..*")
        yield


def test_separate_freezes_all_that_the_final_network_has() -> None:
    task, watch = fit(SEPARATE, 6)  # two thirds of them for the final network
    assert watch.learning == [("last",)] * 4 + [("one", "two")] * 2
    early = [name for name in watch.states[0] if ".classifiers.one." in name or ".classifiers.two." in name]
    first, switched, end = watch.states[0], watch.states[3], task.network.state_dict()
    for name in end:
        if ".exits." not in name:  # found after training
            assert torch.equal(switched[name], end[name]) is (name not in early), name
            assert torch.equal(first[name], switched[name]) is (name in early), name
    assert "network.stages.last.1.running_mean" in end  # statistics are among what was compared
    assert watch.rates[3] < 1e-5  # both schedules ran to their ends
    assert watch.rates[5] < 1e-5
    assert all(parameter.requires_grad for parameter in task.network.parameters())


def test_the_final_network_of_a_separate_training_learns_as_if_it_were_alone() -> None:
    class Alone(tiny_cascade.TinyCascade):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return self.logits(images, ("last",))[0]

    task, _ = fit(SEPARATE, 3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiny_cascade, "TinyCascade", Alone)
        alone, _ = fit(replace(SEPARATE, heads=None), 2)
    for name, value in alone.network.state_dict().items():
        if ".one." in name or ".two." in name or ".exits." in name or "num_batches" in name:
            continue
        if ".classifiers.last." in name or ".stages." in name:
            assert torch.equal(value, task.network.state_dict()[name]), name


def test_early_heads_learn_on_a_network_that_is_trained_already() -> None:
    recipe = replace(SEPARATE, heads=Heads("separate", share=0.5, begun=True), epochs=4.0)
    assert (recipe.all_epochs, recipe.first_epochs(2)) == (2, 0)
    given = tiny_cascade.sealed(CLASSES, seed=7).network.final
    task, watch = fit(recipe, 2, begin=Normalised(given))
    assert watch.learning == [("one", "two")] * 2
    assert watch.rates[1] < 1e-5  # the schedule is that of the early heads alone
    learnt = cascade_of(task.network).final.state_dict()
    assert all(torch.equal(learnt[name], tensor) for name, tensor in given.state_dict().items())
    first, end = watch.states[0], task.network.state_dict()
    assert all(not torch.equal(first[name], end[name]) for name in end if name.endswith("classifiers.one.3.weight"))


def test_recipes_say_what_was_begun_with_and_nothing_where_nothing_was() -> None:
    begun = replace(SEPARATE, heads=Heads("separate", begun=True))
    assert begun.as_dict()["heads"]["begun"] is True
    assert "begun" not in SEPARATE.as_dict()["heads"]


def test_what_a_cascade_begins_with_is_its_final_network() -> None:
    task = ClassificationTask("tiny_cascade", CLASSES, SEPARATE)
    with pytest.raises(ValueError, match="wanted the weights of the final network of tiny_cascade"):
        task.begin_with(Normalised(nn.Linear(2, 2)))
    with pytest.raises(ValueError, match="trained separate on a trained network, got joint"):
        Heads("joint", begun=True)


def test_joint_trains_every_head_at_once_by_their_weights() -> None:
    task, watch = fit(recipe_for("joint", tiny_cascade.RECIPE), 2)
    assert watch.learning == [tiny_cascade.HEADS] * 2
    weighted = replace(task.recipe, heads=Heads("joint", weights=(0.0, 0.0, 1.0)), label_smoothing=0.0)
    only_last = ClassificationTask("tiny_cascade", CLASSES, weighted)
    labels = torch.tensor([0, 1])
    logits = tuple(torch.randn(2, CLASSES, generator=torch.Generator().manual_seed(n)) for n in range(3))
    assert only_last._loss(logits, labels) == nn.functional.cross_entropy(logits[2], labels)
    with pytest.raises(ValueError, match="wanted 3 weights of heads, got 2"):
        ClassificationTask("tiny_cascade", CLASSES, replace(task.recipe, heads=Heads("joint", weights=(1.0, 1.0))))


@pytest.mark.parametrize("stop", [0, 1, 2, 3])
def test_an_interrupted_training_ends_as_an_uninterrupted_one(tmp_path: Any, stop: int) -> None:
    class Save(pl.Callback):
        def on_train_epoch_end(self, trainer: pl.Trainer, task: Any) -> None:
            if trainer.current_epoch == stop:
                trainer.save_checkpoint(tmp_path / "last.ckpt")

    def seeded(task: ClassificationTask, *callbacks: pl.Callback, **given: Any) -> dict[str, torch.Tensor]:
        class Draws(pl.Callback):
            def on_train_batch_start(self, trainer: pl.Trainer, *_: Any) -> None:
                torch.manual_seed(trainer.global_step)  # dropout's draws

        trainer(4, Draws(), *callbacks).fit(task, datamodule=Strokes(), **given)
        return task.network.state_dict()

    pl.seed_everything(0, verbose=False)
    settings = replace(SEPARATE, batch=16, heads=Heads("separate", share=1.0))
    whole = seeded(ClassificationTask("tiny_cascade", CLASSES, settings), Save())
    pl.seed_everything(1, verbose=False)
    other = ClassificationTask("tiny_cascade", CLASSES, settings)
    resumed = seeded(other, ckpt_path=tmp_path / "last.ckpt", weights_only=True)
    assert all(torch.equal(value, resumed[name]) for name, value in whole.items())


def test_a_trained_cascade_reads_and_leaves_early() -> None:
    task, _ = fit(replace(SEPARATE, heads=Heads("separate", share=0.5, budget=0.9)), 24)
    policy = cascade_of(task.network).policy
    assert policy.exits
    run = trainer(1)
    (scores,) = run.test(task, datamodule=Strokes(), verbose=False)
    assert scores["test_accuracy"] > 0.8  # chance is 0.25; forty seeds end above 0.97
    found = run.predict(task, datamodule=Strokes())
    exits = torch.cat([batch["exits"] for batch in found])
    assert int((exits < 2).sum()) > 0
    answers = torch.cat([batch["head_top"] for batch in found])
    assert answers.shape == (48, 3)


@pytest.mark.parametrize(
    ("train", "val", "apart"),
    [([1, 2], [3, 3], True), ([1, 2], [2, 3], False), ([NO_WRITER, 1], [2, 3], False), ([1, 2], [3, NO_WRITER], False)],
)
def test_writers_are_apart_where_all_are_known_and_none_wrote_for_both(
    train: list[int], val: list[int], apart: bool
) -> None:
    assert writers_apart(np.array(train), np.array(val)) is apart


@pytest.mark.parametrize("apart", [False, True])
def test_validation_characters_of_unknown_writers_are_drawn_several_times(
    apart: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[list[torch.Tensor], bool]] = []

    def keep(network: nn.Module, batches: Any, settings: Heads, shape: Any, device: Any, apart: bool) -> None:
        seen.append(([torch.cat([b["images"] for b in batches]) for _ in range(2)], apart))

    monkeypatch.setattr(heads, "find_policy", keep)
    if apart:
        load = Strokes.load
        monkeypatch.setattr(Strokes, "load", lambda self: by_writers(load(self)))
    fit(replace(SEPARATE, augmentation=Augmentation(rotate=20.0)), 2)
    ((images, again), said) = seen[0]
    plain = 8 * CLASSES
    assert said is apart
    assert len(images) == (plain if apart else DRAWS * plain)
    assert torch.equal(images, again)  # for the temperatures, then for the answers
    if not apart:
        assert not torch.equal(images[:plain], images[plain : 2 * plain])


def by_writers(splits: Splits) -> Splits:
    """The same characters, by one writer for training and another one for validation."""
    parts = (
        replace(part, writers=np.full(len(part), w, np.int32)) for w, part in enumerate((splits.train, splits.val))
    )
    return replace(splits, **dict(zip(("train", "val"), parts, strict=True)))


def test_epochs_are_shared_out() -> None:
    assert (SEPARATE.epochs, SEPARATE.all_epochs) == (40, 60)
    assert [SEPARATE.first_epochs(epochs) for epochs in (60, 6, 3, 2, 1)] == [40, 4, 2, 1, 1]
    plain = replace(SEPARATE, heads=None, epochs=0.3)
    assert (plain.all_epochs, plain.first_epochs(7)) == (1, 7)
    assert replace(SEPARATE, epochs=1.0).all_epochs == 2  # never none for the early heads


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="separate or joint, got 'both'"):
        Heads("both")
    for threshold in (0.0, -0.1, 4e-7, 1.01, float("nan")):
        with pytest.raises(ValueError, match=r"threshold from 1e-06 to 1, got"):
            Heads("separate", threshold=threshold)
    with pytest.raises(ValueError, match="a fixed exit threshold or a budget"):
        Heads("separate", threshold=0.5, budget=0.5)


def test_a_recipe_for_early_heads_needs_some(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    with pytest.raises(ValueError, match="recipe light trains early heads, but lenet5 has none"):
        ClassificationTask("lenet5", CLASSES, SEPARATE)
