"""ClassificationTask: the LightningModule that trains, validates, tests and predicts with any architecture."""

from collections.abc import Iterable
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim import SGD, Adam, AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR, ReduceLROnPlateau
from torchmetrics import MetricCollection
from torchmetrics.classification import MulticlassAccuracy

from datamodules._base import CharacterDataModule
from datamodules._loader import Batch, View
from tasks.architectures import ARCHITECTURES
from tasks.augmentation import CharacterAugmentation
from tasks.early_exits.cascade import EarlyExits, cascade_of, every_head
from tasks.early_exits.training import HeadTraining, answers_of
from tasks.normalised import Normalised, ink
from tasks.recipe import Recipe
from tasks.recipes import recipe_for

TOP = 5  # predicted classes stored per character
WARM_UP = 0.15  # share of the one-cycle schedule with a rising rate; fast.ai uses 0.25 for longer runs


class ClassificationTask(pl.LightningModule):
    """Trains and evaluates one architecture variant under one recipe.

    ``Trainer.fit(task, datamodule=...)`` with a CharacterDataModule is all that a suite does: the task sets the
    datamodule's input size, batch size and augmentation from the architecture and the recipe. Batches hold ``images``,
    uint8 (B, channels, size, size), and ``labels``, int64 (B,); the network normalises the images itself.

    Logged: ``train_loss``, ``val_loss``, and ``accuracy`` and ``accuracy_top5`` (for more than five classes) with the
    prefixes ``val_`` and ``test_``, as ratios.

    Attributes:
        network: the network with its normalisation, uint8 images -> logits (B, classes).
        recipe: all settings of the training.
        channels, size: of the input; size is its side in pixels.
        fitted: whether the network is fitted in one pass over the batches, without gradients.

    Args:
        architecture: ``name`` or ``name:variant``.
        classes: number of classes.
        recipe: a Recipe, or the name of one, which the architecture's own settings complete.

    Raises:
        KeyError: an unknown architecture or recipe.
        ValueError: an unknown variant, or a recipe with heads that the architecture does not have.
    """

    def __init__(self, architecture: str, classes: int, recipe: str | Recipe = "light") -> None:
        super().__init__()
        name, _, variant = architecture.partition(":")
        module = ARCHITECTURES.load(name)
        self.architecture, self.classes = architecture, classes
        self.recipe = recipe if isinstance(recipe, Recipe) else recipe_for(recipe, module.RECIPE)
        self.channels, self.size = module.INPUT
        self.network = Normalised(module.build(variant, classes, self.channels, self.size), module.LAYOUT)
        for layer in self.network.modules():
            if self.recipe.dropout is not None and isinstance(layer, nn.Dropout):
                layer.p = self.recipe.dropout
        if self.recipe.heads is not None:
            _check_heads(self.recipe, architecture, self.network)
        self.fitted = self.recipe.optimizer == "none"
        self.automatic_optimization = not self.fitted
        scores = {"accuracy": MulticlassAccuracy(classes, average="micro")}
        if classes > TOP:
            scores["accuracy_top5"] = MulticlassAccuracy(classes, top_k=TOP, average="micro")
        self.train_loss, self.val_loss = _MeanLoss(), _MeanLoss()
        self.val_scores = MetricCollection(dict(scores), prefix="val_")
        self.test_scores = MetricCollection(dict(scores), prefix="test_")

    def begin_with(self, trained: nn.Module) -> None:
        """Load a trained network's weights into the final network of this cascade.

        Raises: ValueError: not a cascade, or the weights of another network.
        """
        cascade = cascade_of(self.network)
        if cascade is None or not isinstance(trained, Normalised):
            raise ValueError(f"wanted a cascade and a Normalised network to begin with, got {self.architecture}")
        try:
            cascade.final.load_state_dict(trained.network.state_dict())
        except RuntimeError as error:
            raise ValueError(f"wanted the weights of the final network of {self.architecture}: {error}") from None

    def view(self) -> View:
        """The recipe's augmentation of training images."""
        return CharacterAugmentation(self.recipe.augmentation, self.size)

    def setup(self, stage: str) -> None:
        """Set the datamodule's input shape, batch size and augmentation.

        Raises: TypeError: fitting without a CharacterDataModule, which applies the augmentation.
        """
        # Lightning's type stubs lack this attribute.
        datamodule = getattr(self.trainer, "datamodule", None)
        if isinstance(datamodule, CharacterDataModule):
            datamodule.set_input(self.channels, self.size)
            datamodule.batch_size = self.recipe.batch
            datamodule.keep_rest = self.fitted  # a fit in one pass must see every character
            datamodule.set_augmentation(self.view())
        elif stage == "fit":
            raise TypeError(
                f"recipe {self.recipe.name!r} augments on the fly and needs a CharacterDataModule to do it, "
                f"got {type(datamodule).__name__}; call Trainer.fit(task, datamodule=...)"
            )

    def configure_callbacks(self) -> list[pl.Callback]:
        """The callback that trains early heads and chooses the exit policy, if the recipe has heads."""
        return [] if self.recipe.heads is None else [HeadTraining(self.recipe)]

    def forward(self, images: Tensor) -> Tensor:
        """Images, uint8 (B, C, S, S) -> logits (B, classes), of the final head if there are several."""
        return self.network(images)  # type: ignore[no-any-return]

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor | None:
        """Cross-entropy of the batch, summed over the heads in training; None for a fit without gradients."""
        if self.fitted:
            inner: Any = self.network.network
            inner.update(ink(batch["images"]), batch["labels"])
            if self.trainer.is_last_batch:
                inner.finish()
            return None
        loss = self._loss(self.network(batch["images"]), batch["labels"])
        self.train_loss.add(loss)
        if self.trainer.is_last_batch:  # Lightning's mean over an epoch costs more than a small network's step
            self.log("train_loss", self.train_loss.take(), on_step=False, on_epoch=True, sync_dist=True)
        return loss

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Update the loss of the heads in training, and top-1 and top-5 accuracy of the final head."""
        images, labels = batch["images"], batch["labels"]
        cascade = cascade_of(self.network)
        if cascade is None:
            learning = logits = [self(images).float()]
        else:
            names = dict.fromkeys((*cascade.learning, cascade.heads[-1]))
            logits = [head.float() for head in cascade.logits(self.network.normalise(images), tuple(names))]
            learning = logits[: len(cascade.learning)]
        self.val_loss.add(self._weighted([cross_entropy(head, labels) for head in learning]), len(labels))
        self.val_scores.update(logits[-1], labels)

    def on_validation_epoch_end(self) -> None:
        """Log validation loss and accuracy, means over characters, not over batches."""
        self.log("val_loss", self.val_loss.take(), sync_dist=True)
        self.log_dict(self.val_scores)

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        """Log top-1 and top-5 test accuracy; a cascade follows its exit policy."""
        self.test_scores.update(probabilities(self.network, batch["images"])[0], batch["labels"])
        self.log_dict(self.test_scores, batch_size=len(batch["labels"]))

    def predict_step(self, batch: Batch, batch_idx: int) -> dict[str, Tensor]:
        """``top``, the TOP most probable classes (B, TOP), ``probability`` of the first one (B,), and ``labels`` (B,).

        A cascade adds ``exits`` (B,), the index of each character's exit, and the fields of HeadAnswers for all heads.
        """
        best, exits = best_answers(self.network, batch["images"])
        predictions = {"top": best.indices, "probability": best.values[:, 0], "labels": batch["labels"]}
        if exits is None:
            return predictions
        top, confidence, together = answers_of(every_head(self.network, batch["images"]))
        return {**predictions, "exits": exits, "head_top": top, "head_confidence": confidence, "together": together}

    def configure_optimizers(self) -> Any:
        """Optimiser and learning rate schedule of the recipe; None for a fit without gradients."""
        if self.fitted:
            return None
        optimizer = make_optimizer(self.recipe, [p for p in self.network.parameters() if p.requires_grad])
        steps, epochs = int(self.trainer.estimated_stepping_batches), self.trainer.max_epochs or 1
        per_epoch = max(1, round(steps / epochs))
        cascade = cascade_of(self.network)
        if cascade is not None:  # in a separate training, final network and early heads each have their own schedule
            first = self.recipe.first_epochs(epochs)
            steps = per_epoch * (first if cascade.heads[-1] in cascade.learning else epochs - first)
        schedule = make_schedule(self.recipe, optimizer, steps, per_epoch)
        if schedule is None:
            return optimizer
        when = {"monitor": "val_loss"} if isinstance(schedule, ReduceLROnPlateau) else {"interval": "step"}
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, **when}}

    def _loss(self, logits: Tensor | tuple[Tensor, ...], labels: Tensor) -> Tensor:
        """Cross-entropy of one head's logits, or summed over those of several heads."""
        heads = logits if isinstance(logits, tuple) else (logits,)
        smoothing = self.recipe.label_smoothing
        return self._weighted([cross_entropy(head.float(), labels, label_smoothing=smoothing) for head in heads])

    def _weighted(self, losses: list[Tensor]) -> Tensor:
        """The sum of the heads' losses, with the recipe's weights in a joint training."""
        heads = self.recipe.heads
        if heads is not None and heads.training == "joint" and heads.weights:
            losses = [loss * weight for loss, weight in zip(losses, heads.weights, strict=True)]
        return torch.stack(losses).sum()


def probabilities(network: nn.Module, images: Tensor) -> tuple[Tensor, Tensor | None]:
    """Images, uint8 (B, C, S, S) -> probabilities (B, classes), and for a cascade the exit indices, int64 (B,)."""
    if cascade_of(network) is None:
        return torch.softmax(network(images).float(), 1), None
    return EarlyExits(network)(images)


def best_answers(network: nn.Module, images: Tensor) -> tuple["torch.return_types.topk", Tensor | None]:
    """The TOP most probable classes and their probabilities, (B, TOP), and for a cascade the exit indices, (B,)."""
    values, exits = probabilities(network, images)
    return values.topk(min(TOP, values.shape[1]), 1), exits


class _MeanLoss:
    """Running mean of losses weighted by numbers of characters, without synchronising with the device."""

    def __init__(self) -> None:
        self._sum: Tensor | float = 0.0
        self._weight = 0

    def add(self, loss: Tensor, weight: int = 1) -> None:
        self._sum = self._sum + loss.detach() * weight
        self._weight += weight

    def take(self) -> Tensor:
        """The mean so far; resets it."""
        mean = torch.as_tensor(self._sum) / max(1, self._weight)
        self._sum, self._weight = 0.0, 0
        return mean


def _check_heads(recipe: Recipe, architecture: str, network: nn.Module) -> None:
    cascade = cascade_of(network)
    if cascade is None:
        raise ValueError(f"recipe {recipe.name} trains early heads, but {architecture} has none")
    weights = recipe.heads.weights if recipe.heads is not None else ()
    if weights and len(weights) != len(cascade.heads):
        raise ValueError(f"recipe {recipe.name}: wanted {len(cascade.heads)} weights of heads, got {len(weights)}")


def make_optimizer(recipe: Recipe, parameters: Iterable[nn.Parameter]) -> Optimizer:
    """The recipe's optimiser; weight decay applies to parameters of two or more dimensions."""
    every = list(parameters)
    groups = [
        {"params": [p for p in every if p.ndim > 1], "weight_decay": recipe.weight_decay},
        # No decay of biases and normalisation: it shifts them without regularising anything.
        {"params": [p for p in every if p.ndim <= 1], "weight_decay": 0.0},
    ]
    if recipe.optimizer == "sgd":
        return SGD(groups, lr=recipe.lr, momentum=recipe.momentum)
    if recipe.optimizer == "adam":
        return Adam(groups, lr=recipe.lr)
    if recipe.optimizer == "adamw":
        return AdamW(groups, lr=recipe.lr, fused=True)  # one pass over weights larger than the CPU caches
    raise ValueError(f"recipe {recipe.name}: wanted optimizer sgd, adam, adamw or none, got {recipe.optimizer!r}")


def make_schedule(
    recipe: Recipe, optimizer: Optimizer, steps: int, per_epoch: int
) -> LRScheduler | ReduceLROnPlateau | None:
    """The recipe's schedule over ``steps`` steps, ``per_epoch`` in each epoch; None for a constant rate."""
    match recipe.schedule:
        case "constant":
            return None
        case "onecycle":
            peaks = [group["lr"] for group in optimizer.param_groups]
            return OneCycleLR(optimizer, peaks, total_steps=steps + 1, pct_start=WARM_UP, cycle_momentum=False)
        case "staircase":
            every = recipe.step_epochs * per_epoch
            return LambdaLR(optimizer, lambda step: recipe.gamma ** (step // every))
        case "plateau":
            return ReduceLROnPlateau(optimizer, factor=recipe.gamma)
    raise ValueError(
        f"recipe {recipe.name}: wanted schedule constant, onecycle, staircase or plateau, got {recipe.schedule!r}"
    )
