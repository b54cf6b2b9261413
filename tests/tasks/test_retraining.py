"""Retraining as a Lightning user meets it: a quantised student, its teacher, and images without labels."""

import copy
import math
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from fake import tiny_cascade
from fake.image_folder import stroke
from torch import Tensor, nn

from datamodules._base import CharacterDataModule, DatasetInfo, Splits
from datamodules._characters import Characters
from datamodules._unlabelled import Unlabelled, images_of
from tasks.compression.batch_norm import refit_statistics
from tasks.compression.packing import Quantised, pack_quantised, quantise
from tasks.compression.storage import parse_storage
from tasks.early_exits.cascade import cascade_of, every_logits
from tasks.early_exits.policy import ExitPolicy
from tasks.normalised import Normalised
from tasks.recipe import Recipe
from tasks.recipes import recipe_for
from tasks.recogniser import Recogniser
from tasks.retraining import ConventionalTask, Retraining, RetrainingTask
from tasks.retraining_settings import LAYERS, most_images, retraining_recipe

CLASSES = 4
RECIPE = replace(recipe_for("joint", tiny_cascade.RECIPE), batch=16, lr=1e-2, epochs=3.0)


def strokes(each: int, seed: int, shuffled: bool = False) -> Characters:
    rng = np.random.default_rng(seed)
    labels = [label for _ in range(each) for label in range(CLASSES)]
    images = [stroke(label, CLASSES, rng) for label in labels]
    return Characters.pack(images, rng.permutation(labels) if shuffled else labels)


class Strokes(CharacterDataModule):
    """Four directions of strokes, in memory; labels that say nothing where they are shuffled."""

    def __init__(self, shuffled: bool = False) -> None:
        super().__init__(batch_size=16)
        self.shuffled = shuffled

    def load(self) -> Splits:
        return Splits(
            tuple("abcd"), strokes(24, 0, self.shuffled), strokes(8, 1, self.shuffled), strokes(12, 2, self.shuffled)
        )

    def describe(self, splits: Splits) -> DatasetInfo:
        return DatasetInfo("strokes", CLASSES, {}, "", "", True)


@pytest.fixture(autouse=True)
def _quiet() -> Any:
    """What Lightning advises, and its dated code, are not wanted."""
    with warnings.catch_warnings():
        for text in ("does not have many workers", "isinstance.treespec, LeafSpec", "in eval mode at the start"):
            warnings.filterwarnings("ignore", f".*{text}.*")
        yield


def trainer(epochs: int) -> pl.Trainer:
    return pl.Trainer(
        max_epochs=epochs, accelerator="cpu", enable_model_summary=False, num_sanity_val_steps=0, logger=False,
        enable_checkpointing=False, enable_progress_bar=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def made() -> Normalised:
    """A tiny cascade that reads strokes by ridge regression from random convolutions: alike on every CPU, as no
    training is."""
    torch.manual_seed(11)  # two centroids a layer leave this one at chance
    network = Normalised(tiny_cascade.build("", CLASSES, *tiny_cascade.INPUT)).train()
    cascade: Any = cascade_of(network)
    datamodule = Strokes()
    datamodule.set_input(*tiny_cascade.INPUT)
    images, labels = (torch.cat([b[name] for b in datamodule.train_dataloader()]) for name in ("images", "labels"))
    with torch.no_grad():
        for _ in range(40):  # until normalisation knows what comes
            network(images)
        maps = network.eval().normalise(images)
        for name in cascade.heads:
            maps = cascade.stage(name, maps)
            *before, last = cascade.head_layers(name)
            seen = nn.functional.pad(nn.Sequential(*before)(maps).double(), (0, 1), value=1.0)
            wanted = 12 * (nn.functional.one_hot(labels, CLASSES) - 1 / CLASSES).double()
            found = torch.linalg.solve(seen.T @ seen + 10 * torch.eye(seen.shape[1]).double(), seen.T @ wanted)
            last.weight.copy_(found[:-1].T)
            last.bias.copy_(found[-1])
    cascade.policy = ExitPolicy({"two": 0.9}, False, (1.2, 1.0, 0.9))
    return network


@pytest.fixture
def teacher(made: Normalised) -> Recogniser:
    return Recogniser(copy.deepcopy(made), 1, 16)


def student_of(teacher: Recogniser, storage: str = "c2") -> Quantised:
    found = parse_storage(storage)
    assert found is not None
    return quantise(teacher.network, found, 1, 16)  # type: ignore[arg-type]


def fit(task: Retraining, datamodule: CharacterDataModule) -> Retraining:
    pl.seed_everything(0, verbose=False)
    whole = trainer(task.recipe.all_epochs)
    whole.validate(task, datamodule=datamodule, verbose=False)
    whole.fit(task, datamodule=datamodule)
    return task


def without_labels(teacher: Recogniser, beside: CharacterDataModule | None = None, **given: Any) -> RetrainingTask:
    beside = beside or Strokes()
    task = RetrainingTask(student_of(teacher), teacher, RECIPE, **given)
    fit(task, Unlabelled(images_of(beside), beside))
    return task


def apart(student: nn.Module, teacher: nn.Module) -> list[float]:
    """Mean squared difference of the logits of each head, but for what all classes share."""
    images = torch.stack([batch["images"] for batch in evaluated()][:3]).flatten(0, 1)
    with torch.no_grad():
        pairs = zip(every_logits(student.eval(), images), every_logits(teacher.eval(), images), strict=True)
        return [float((one - other).var(1).mean()) for one, other in pairs]


def evaluated() -> Any:
    datamodule = Strokes()
    datamodule.set_input(1, 16)
    return datamodule.test_dataloader()


@pytest.mark.parametrize("loss", ["kl", "mse"])
def test_every_head_comes_nearer_to_its_teacher_while_codes_stay(teacher: Recogniser, loss: str) -> None:
    before = apart(student_of(teacher).network, teacher.network)
    wanted = {name: value.clone() for name, value in teacher.network.state_dict().items()}
    task = without_labels(teacher, loss=loss)
    assert all(new < 0.7 * old for new, old in zip(apart(task.network, teacher.network), before, strict=True))
    for name, value in student_of(teacher).network.state_dict().items():
        if name in task.student.frozen:
            assert torch.equal(task.network.state_dict()[name], value), name
    assert cascade_of(task.network).policy == cascade_of(teacher.network).policy  # type: ignore[union-attr]
    assert all(torch.equal(teacher.network.state_dict()[name], value) for name, value in wanted.items())
    assert [point["epoch"] for point in task.points] == [0, 1, 2, 3]
    assert task.points[0]["seconds"] == 0 < task.seconds_teacher < task.seconds_before < task.points[1]["seconds"]
    assert task.points[-1]["accuracy"] > task.points[0]["accuracy"] + 0.3


def test_no_label_changes_what_is_learnt(teacher: Recogniser) -> None:
    """Neither those of the images nor those of the validation part, which only the curve shows."""
    storage = parse_storage("c2-retrained")
    assert storage is not None
    files, ends = [], []
    for shuffled in (False, True):
        task = without_labels(teacher, Strokes(shuffled))
        files.append(pack_quantised(task.student, storage, "x", CLASSES).content)
        ends.append(task.points[-1]["accuracy"])
    assert files[0] == files[1]
    assert ends[0] != ends[1]


def test_the_teacher_answers_once_to_each_draw(teacher: Recogniser) -> None:
    student = student_of(teacher)
    seen: list[int] = []
    stage = cascade_of(teacher.network).stages["one"]  # type: ignore[union-attr]
    stage.register_forward_pre_hook(lambda module, inputs: seen.append(len(inputs[0])))
    task = RetrainingTask(student, teacher, RECIPE, draws=2)
    beside = Strokes()
    fit(task, Unlabelled(images_of(beside), beside))
    assert sum(seen) == 2 * 24 * CLASSES  # in three epochs


def test_an_epoch_shows_the_student_what_the_teacher_saw(teacher: Recogniser) -> None:
    recipe = replace(RECIPE, augmentation=replace(RECIPE.augmentation, rotate=20.0))
    task = RetrainingTask(student_of(teacher), teacher, recipe, draws=2)
    beside = Strokes()
    datamodule = Unlabelled(images_of(beside), beside)
    datamodule.set_input(1, 16)
    datamodule.set_augmentation(task.view())
    draws = [torch.cat([batch["images"] for batch in datamodule.in_order(draw)]) for draw in (0, 1)]
    assert not torch.equal(*draws)
    loader = datamodule.train_dataloader()
    for epoch in range(4):
        loader.sampler.set_epoch(epoch)  # type: ignore[attr-defined]
        for batch in loader:
            assert torch.equal(batch["images"], draws[epoch % 2][batch["labels"]])


def loss(task: RetrainingTask, student: Tensor, answers: Tensor) -> float:
    """That of one image and one head."""
    task._answers = answers.reshape(1, 1, 1, -1)
    task._trainer = trainer(1)
    return float(task.loss_of((student.reshape(1, -1),), {"images": torch.empty(0), "labels": torch.tensor([0])}))


def test_losses_by_hand(teacher: Recogniser) -> None:
    kl, mse = (RetrainingTask(student_of(teacher), teacher, RECIPE, 1, name) for name in ("kl", "mse"))
    student, answers = torch.tensor([0.0, 0.0]), torch.tensor([2 * math.log(3), 0.0])
    # At temperature 2 the teacher says 3/4 and 1/4, the student a half each.
    wanted = 4 * (0.75 * math.log(1.5) + 0.25 * math.log(0.5))
    assert loss(kl, student, answers) == pytest.approx(wanted, rel=1e-5)
    assert loss(kl, answers, answers) == pytest.approx(0, abs=1e-6)
    assert loss(mse, student, answers) == pytest.approx((2 * math.log(3)) ** 2 / 2, rel=1e-5)


def test_labels_teach_too_and_leave_the_codes_alone(teacher: Recogniser) -> None:
    task = ConventionalTask(student_of(teacher), RECIPE)
    fit(task, Strokes())
    for name, value in student_of(teacher).network.state_dict().items():
        if name in task.student.frozen:
            assert torch.equal(task.network.state_dict()[name], value), name
    assert task.points[-1]["accuracy"] > task.points[0]["accuracy"] + 0.3
    assert task.seconds_before == 0


def test_folded_networks_learn_by_their_biases(teacher: Recogniser) -> None:
    before = apart(student_of(teacher, "c4-folded").network, teacher.network)
    task = RetrainingTask(student_of(teacher, "c4-folded"), teacher, RECIPE)
    beside = Strokes()
    fit(task, Unlabelled(images_of(beside), beside))
    assert task.learning == sum(tiny_cascade.WIDTHS) + 3 * CLASSES
    assert all(new < old for new, old in zip(apart(task.network, teacher.network), before, strict=True))


def test_layers_that_were_left_whole_learn_more_slowly_than_what_is_small(teacher: Recogniser) -> None:
    beside = Strokes()
    for storage, rates in (("c4-of-classifiers", {RECIPE.lr, LAYERS * RECIPE.lr}), ("c4", {RECIPE.lr})):
        task = RetrainingTask(student_of(teacher, storage), teacher, replace(RECIPE, schedule="onecycle"))
        fit(task, Unlabelled(images_of(beside), beside))
        (optimizer,) = task.trainer.optimizers
        assert {group["max_lr"] for group in optimizer.param_groups if group["params"]} == rates


def test_what_cannot_learn_is_refused(teacher: Recogniser) -> None:
    nothing = student_of(teacher, "c2-bias1-folded")
    for task in (lambda: RetrainingTask(nothing, teacher, RECIPE), lambda: ConventionalTask(nothing, RECIPE)):
        with pytest.raises(ValueError, match="wanted layers that can still learn, got none: all 12 tensors"):
            task()
    with pytest.raises(ValueError, match="wanted the teacher, the network in float32 that was quantised, got none"):
        RetrainingTask(student_of(teacher), None, RECIPE)
    with pytest.raises(ValueError, match="wanted loss kl or mse, got 'l1'"):
        RetrainingTask(student_of(teacher), teacher, RECIPE, loss="l1")
    with pytest.raises(TypeError, match=r"wanted unlabelled images, .*, got Strokes"):
        fit(RetrainingTask(student_of(teacher), teacher, RECIPE), Strokes())


def test_statistics_are_those_of_the_images(teacher: Recogniser, monkeypatch: pytest.MonkeyPatch) -> None:
    network: Any = teacher.network
    own = list(evaluated())
    first, normalisation = network.network.stages["one"][:2]
    with torch.no_grad():
        maps = first(network.normalise(torch.cat([batch["images"] for batch in own])))
        counted = normalisation.num_batches_tracked.clone()
    refit_statistics(network, own)
    assert torch.allclose(normalisation.running_mean, maps.mean((0, 2, 3)), atol=1e-5)
    assert torch.allclose(normalisation.running_var, maps.var((0, 2, 3)), rtol=0.1)  # batches differ in their means
    assert (normalisation.momentum, network.training) == (0.1, False)
    assert normalisation.num_batches_tracked == len(own) != counted
    monkeypatch.setattr("tasks.compression.batch_norm.MEASURED", 17)
    refit_statistics(network, own)
    assert normalisation.num_batches_tracked == 2


def test_epochs_are_a_share_of_the_training_and_memory_bounds_the_images(teacher: Recogniser) -> None:
    recipe: Recipe = retraining_recipe(replace(RECIPE, epochs=10.0, optimizer="sgd", schedule="plateau"), 0.5)
    assert (recipe.epochs, recipe.optimizer, recipe.schedule) == (2.0, "adamw", "onecycle")
    assert recipe.lr == 0.5 * RECIPE.lr
    assert recipe.augmentation == RECIPE.augmentation
    assert retraining_recipe(replace(RECIPE, epochs=1.0), 0.5).epochs == 1
    assert most_images(teacher.network, 3755, 2) == (1 << 28) // (3755 * 2 * 3)
