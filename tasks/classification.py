"""ClassificationTask: loss, metrics, optimiser and on-the-fly augmentation around any architecture."""

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

TOP = 5  # predictions kept per character
WARM_UP = 0.15  # share of the one-cycle schedule that rises; fast.ai's habit is 0.25 for longer runs


class ClassificationTask(pl.LightningModule):
    """Train and evaluate one architecture variant under one recipe.

    ``Trainer.fit(task, datamodule)`` does what a suite does; the task hands its input size, batch size and
    augmentation to the trainer's datamodule.

    Args:
        architecture: ``name`` or ``name:variant``.
        classes: size of the label space.
        recipe: a recipe's name, taken with the architecture's own settings, or a Recipe.
    """

    def __init__(self, architecture: str, classes: int, recipe: str | Recipe = "light") -> None:
        super().__init__()
        name, _, variant = architecture.partition(":")
        module = ARCHITECTURES.load(name)
        self.architecture, self.classes = architecture, classes
        self.recipe = recipe if isinstance(recipe, Recipe) else recipe_for(recipe, module.RECIPE)
        self.channels, self.size = module.INPUT
        self.network = Normalised(module.build(variant, classes, self.channels, self.size), module.LAYOUT)
        _set_dropout(self.network, self.recipe.dropout)
        if self.recipe.heads is not None:
            _check_heads(self.recipe, architecture, self.network)
        self.fitted = self.recipe.optimizer == "none"  # in one pass over the batches, without gradients
        self.automatic_optimization = not self.fitted
        scores = {"accuracy": MulticlassAccuracy(classes, average="micro")}
        if classes > TOP:
            scores["accuracy_top5"] = MulticlassAccuracy(classes, top_k=TOP, average="micro")
        self.train_loss, self.val_loss = _MeanLoss(), _MeanLoss()
        self.val_scores = MetricCollection(dict(scores), prefix="val_")
        self.test_scores = MetricCollection(dict(scores), prefix="test_")

    def begin_with(self, trained: nn.Module) -> None:
        """Take a trained network's weights as those of this cascade's final one, sealed as all are.

        Raises:
            ValueError: this is no cascade, or the weights are those of another network.
        """
        cascade, sealed = cascade_of(self.network), trained
        if cascade is None or not isinstance(sealed, Normalised):
            raise ValueError(f"wanted a cascade and a sealed network to begin with, got {self.architecture}")
        try:
            cascade.final.load_state_dict(sealed.network.state_dict())
        except RuntimeError as error:
            raise ValueError(f"wanted the weights of the final network of {self.architecture}: {error}") from None

    def view(self) -> View:
        """What training images pass through."""
        return CharacterAugmentation(self.recipe.augmentation, self.size)

    def setup(self, stage: str) -> None:
        """Give the datamodule this network's input, this recipe's batch size and its augmentation.

        Raises:
            TypeError: when fitting without a CharacterDataModule, which alone can take the augmentation.
        """
        # Lightning keeps the datamodule in an attribute that its type stubs do not show.
        datamodule = getattr(self.trainer, "datamodule", None)
        if isinstance(datamodule, CharacterDataModule):
            datamodule.set_input(self.channels, self.size)
            datamodule.batch_size = self.recipe.batch
            datamodule.keep_rest = self.fitted  # a mean is that of all characters
            datamodule.set_augmentation(self.view())
        elif stage == "fit":
            raise TypeError(
                f"recipe {self.recipe.name!r} augments on the fly and needs a CharacterDataModule to do it, "
                f"got {type(datamodule).__name__}; call Trainer.fit(task, datamodule=...)"
            )

    def configure_callbacks(self) -> list[pl.Callback]:
        """What trains early heads and finds their exits, where the recipe says how."""
        return [] if self.recipe.heads is None else [HeadTraining(self.recipe)]

    def forward(self, images: Tensor) -> Tensor:
        """Images, uint8 (B, C, S, S) -> logits (B, classes), of the final head where there are several."""
        return self.network(images)  # type: ignore[no-any-return]

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor | None:
        """Cross-entropy, summed over the heads where there are several, or one step of a fit without gradients."""
        if self.fitted:
            inner: Any = self.network.network
            inner.update(ink(batch["images"]), batch["labels"])
            if self.trainer.is_last_batch:
                inner.finish()
            return None
        loss = self._loss(self.network(batch["images"]), batch["labels"])
        self.train_loss.add(loss)
        if self.trainer.is_last_batch:  # Lightning's own mean over an epoch costs more than a small network's step
            self.log("train_loss", self.train_loss.take(), on_step=False, on_epoch=True, sync_dist=True)
        return loss

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Gather the loss of the heads that learn, and top-1 and top-5 accuracy of the final one."""
        images, labels = batch["images"], batch["labels"]
        cascade = cascade_of(self.network)
        if cascade is None:
            logits = [self(images).float()]
        else:
            names = dict.fromkeys((*cascade.learning, cascade.heads[-1]))
            found = cascade.logits(self.network.normalise(images), tuple(names))
            logits = [one.float() for one in found]
        learning = logits if cascade is None else logits[: len(cascade.learning)]
        self.val_loss.add(self._weighted([cross_entropy(one, labels) for one in learning]), len(labels))
        self.val_scores.update(logits[-1], labels)

    def on_validation_epoch_end(self) -> None:
        """Log what was gathered; characters count the same whatever batch they came in."""
        self.log("val_loss", self.val_loss.take(), sync_dist=True)
        self.log_dict(self.val_scores)

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        """Log the test top-1 and top-5 accuracy, of a cascade that leaves early where it may."""
        self.test_scores.update(probabilities(self.network, batch["images"])[0], batch["labels"])
        self.log_dict(self.test_scores, batch_size=len(batch["labels"]))

    def predict_step(self, batch: Batch, batch_idx: int) -> dict[str, Tensor]:
        """The TOP most probable classes, (B, TOP), the first one's probability, (B,), and the labels.

        A cascade adds the number of each character's exit, (B,), and what every head says, as in HeadAnswers.
        """
        best, exits = best_answers(self.network, batch["images"])
        found = {"top": best.indices, "probability": best.values[:, 0], "labels": batch["labels"]}
        if exits is None:
            return found
        top, confidence, together = answers_of(every_head(self.network, batch["images"]))
        return {**found, "exits": exits, "head_top": top, "head_confidence": confidence, "together": together}

    def configure_optimizers(self) -> Any:
        """Optimiser and schedule of the recipe; none for a fit without gradients."""
        if self.fitted:
            return None
        optimizer = make_optimizer(self.recipe, [p for p in self.network.parameters() if p.requires_grad])
        steps, epochs = int(self.trainer.estimated_stepping_batches), self.trainer.max_epochs or 1
        per_epoch = max(1, round(steps / epochs))
        cascade = cascade_of(self.network)
        if cascade is not None:  # what learns first and what learns next have schedules of their own
            first = self.recipe.first_epochs(epochs)
            steps = per_epoch * (first if cascade.heads[-1] in cascade.learning else epochs - first)
        schedule = make_schedule(self.recipe, optimizer, steps, per_epoch)
        if schedule is None:
            return optimizer
        if isinstance(schedule, ReduceLROnPlateau):
            return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "monitor": "val_loss"}}
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def _loss(self, logits: Tensor | tuple[Tensor, ...], labels: Tensor) -> Tensor:
        """Of one head's logits, or summed over those of several: what a network may give while it trains."""
        heads = logits if isinstance(logits, tuple) else (logits,)
        smoothing = self.recipe.label_smoothing
        return self._weighted([cross_entropy(head.float(), labels, label_smoothing=smoothing) for head in heads])

    def _weighted(self, losses: list[Tensor]) -> Tensor:
        """The sum of the heads' losses, by the recipe's weights where all learn together."""
        heads = self.recipe.heads
        if heads is not None and heads.training == "joint" and heads.weights:
            losses = [loss * weight for loss, weight in zip(losses, heads.weights, strict=True)]
        return torch.stack(losses).sum()


def probabilities(network: nn.Module, images: Tensor) -> tuple[Tensor, Tensor | None]:
    """Of images, uint8 (B, C, S, S): probabilities (B, classes), and the exits of a cascade, (B,)."""
    if cascade_of(network) is None:
        return torch.softmax(network(images).float(), 1), None
    return EarlyExits(network)(images)


def best_answers(network: nn.Module, images: Tensor) -> tuple["torch.return_types.topk", Tensor | None]:
    """The TOP most probable classes, (B, TOP), and their probabilities; and the exits of a cascade, (B,)."""
    found, exits = probabilities(network, images)
    return found.topk(min(TOP, found.shape[1]), 1), exits


class _MeanLoss:
    """Mean of losses, weighted by how many characters each speaks for; it never waits for the device."""

    def __init__(self) -> None:
        self._sum: Tensor | float = 0.0
        self._weight = 0

    def add(self, loss: Tensor, weight: int = 1) -> None:
        self._sum = self._sum + loss.detach() * weight
        self._weight += weight

    def take(self) -> Tensor:
        """The mean so far; the next one starts afresh."""
        mean = torch.as_tensor(self._sum) / max(1, self._weight)
        self._sum, self._weight = 0.0, 0
        return mean


def _check_heads(recipe: Recipe, architecture: str, network: nn.Module) -> None:
    cascade = cascade_of(network)
    if cascade is None:
        raise ValueError(f"recipe {recipe.name} says how early heads learn, but {architecture} has none")
    weights = recipe.heads.weights if recipe.heads is not None else ()
    if weights and len(weights) != len(cascade.heads):
        raise ValueError(f"recipe {recipe.name}: wanted {len(cascade.heads)} weights of heads, got {len(weights)}")


def _set_dropout(network: nn.Module, share: float | None) -> None:
    for layer in network.modules():
        if share is not None and isinstance(layer, nn.Dropout):
            layer.p = share


def make_optimizer(recipe: Recipe, parameters: Iterable[nn.Parameter]) -> Optimizer:
    """The recipe's optimiser over these parameters."""
    kept = list(parameters)
    groups = [
        {"params": [p for p in kept if p.ndim > 1], "weight_decay": recipe.weight_decay},
        # Biases and normalisation are not decayed: it shifts them without regularising anything.
        {"params": [p for p in kept if p.ndim <= 1], "weight_decay": 0.0},
    ]
    match recipe.optimizer:
        case "sgd":
            return SGD(groups, lr=recipe.lr, momentum=recipe.momentum)
        case "adam":
            return Adam(groups, lr=recipe.lr)
        case "adamw":
            return AdamW(groups, lr=recipe.lr, fused=True)  # one pass over weights that outgrow the caches
    raise ValueError(f"recipe {recipe.name}: wanted optimizer sgd, adam, adamw or none, got {recipe.optimizer!r}")


def make_schedule(
    recipe: Recipe, optimizer: Optimizer, steps: int, per_epoch: int
) -> LRScheduler | ReduceLROnPlateau | None:
    """The recipe's schedule over so many steps, ``per_epoch`` of them an epoch; None for a constant rate."""
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
