"""Retraining: trains what a quantised network keeps in float32, on its teacher's logits or on labels."""

import time
from abc import abstractmethod
from functools import partial
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, kl_div, log_softmax, mse_loss

from datamodules._base import CharacterDataModule
from datamodules._loader import Batch, Key, View
from datamodules._unlabelled import Unlabelled
from tasks.augmentation import CharacterAugmentation
from tasks.classification import best_answers, make_optimizer, make_schedule
from tasks.compression.batch_norm import refit_statistics
from tasks.compression.packing import Quantised
from tasks.early_exits.cascade import every_logits
from tasks.recipe import Recipe
from tasks.recogniser import Recogniser
from tasks.retraining_settings import DRAWS, LAYERS, LOSSES, TEMPERATURE


class Retraining(pl.LightningModule):
    """Base of both retraining tasks: freezes the quantised tensors, records the validation curve and its clock.

    Attributes:
        learning: number of trained parameters.
        points: the curve: ``epoch``, 0 before training; ``seconds`` of training so far, without validation;
            ``accuracy`` on the validation part, as a ratio; a cascade follows its exit policy.
        seconds_before: seconds of preparation before the first epoch, included in ``seconds``.

    Args:
        student: trained in place; its quantised tensors stay bit for bit the same.
        recipe: optimiser, schedule, batch, epochs and augmentation.

    Raises: ValueError: no parameter is left to train.
    """

    def __init__(self, student: Quantised, recipe: Recipe) -> None:
        super().__init__()
        self.student, self.network, self.recipe = student, student.network, recipe
        for name, parameter in self.network.named_parameters():
            parameter.requires_grad_(name not in student.frozen)
        self.learning = sum(p.numel() for p in self.network.parameters() if p.requires_grad)
        if not self.learning:
            raise ValueError(
                f"wanted layers that can still learn, got none: all {len(student.frozen)} tensors with weights are "
                "quantised; leave a layer in float32, keep the biases, or do not fold the normalisation"
            )
        self.points: list[dict[str, float]] = []
        self.seconds_before = 0.0
        self._spent, self._since = 0.0, 0.0
        self._correct = self._count = 0

    @abstractmethod
    def loss_of(self, logits: tuple[Tensor, ...], batch: Batch) -> Tensor:
        """The loss of the logits of all heads, (B, classes) each."""

    def view(self) -> View:
        """The recipe's augmentation of training images."""
        return CharacterAugmentation(self.recipe.augmentation, self.student.size)

    def setup(self, stage: str) -> None:
        """Set the datamodule's input shape, batch size and augmentation; TypeError without a CharacterDataModule."""
        datamodule = getattr(self.trainer, "datamodule", None)
        if not isinstance(datamodule, CharacterDataModule):
            raise TypeError(f"wanted a CharacterDataModule, got {type(datamodule).__name__}; give it as datamodule=...")
        datamodule.set_input(self.student.channels, self.student.size)
        datamodule.batch_size = self.recipe.batch
        datamodule.keep_rest = False
        datamodule.set_augmentation(self.view())

    def forward(self, images: Tensor) -> Tensor:
        """Images, uint8 (B, C, S, S) -> logits (B, classes), of the final head if there are several."""
        return self.network(images)  # type: ignore[no-any-return]

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """The loss of one batch."""
        return self.loss_of(every_logits(self.network, batch["images"]), batch)

    def on_train_epoch_start(self) -> None:
        """Start the clock."""
        self._since = time.monotonic()

    def on_validation_start(self) -> None:
        """Stop the clock: validation is excluded from the timing."""
        if self._since:
            self._spent += time.monotonic() - self._since
            self._since = 0.0
        self._correct = self._count = 0

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Count the correct predictions."""
        best, _ = best_answers(self.network, batch["images"])
        self._correct += int((best.indices[:, 0] == batch["labels"]).sum())
        self._count += len(batch["labels"])

    def on_validation_epoch_end(self) -> None:
        """Add a point to the curve; ``Trainer.validate`` before ``fit`` adds the one before training."""
        accuracy = self._correct / max(1, self._count)
        if not self.trainer.sanity_checking:
            epoch = self.current_epoch + 1 if self.trainer.state.fn == "fit" else 0
            self.points.append({"epoch": epoch, "seconds": self._spent, "accuracy": accuracy})
        self.log("val_accuracy", accuracy)

    def configure_optimizers(self) -> Any:
        """The recipe's optimiser and schedule over the trained parameters; layers learn at LAYERS times the rate."""
        optimizer = make_optimizer(self.recipe, [p for p in self.network.parameters() if p.requires_grad])
        for group in optimizer.param_groups:
            group["lr"] *= LAYERS if any(p.ndim > 1 for p in group["params"]) else 1
        steps = int(self.trainer.estimated_stepping_batches)
        schedule = make_schedule(self.recipe, optimizer, steps, max(1, steps // (self.trainer.max_epochs or 1)))
        if schedule is None:
            return optimizer
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


class RetrainingTask(Retraining):
    """Trains a quantised student on the logits of its frozen teacher, from unlabelled images.

    ``Trainer.fit(task, datamodule=Unlabelled(...))``. The parameters left in float32 are trained: whole layers, scales
    and shifts of batch normalisation, and kept biases. Before that, the statistics of batch normalisation are measured
    again on the unlabelled images, see ``refit_statistics``, and then stay fixed. All heads of a cascade are trained
    alike; its exit policy stays.

    The teacher runs once, before the first epoch, on ``draws`` augmented versions of each image; epochs cycle through
    these versions. Validation labels only serve the curve: no decision depends on them.

    Attributes:
        seconds_teacher, seconds_statistics: seconds for the teacher's logits and for the statistics, both included in
            ``points``.

    Args:
        student: see Retraining.
        teacher: the float32 network that was quantised.
        recipe: see Retraining.
        draws: augmented versions of each image.
        loss: between the logits of student and teacher: ``kl``, the Kullback-Leibler divergence of their softmax at
            TEMPERATURE, or ``mse``, the mean squared difference.

    Raises: ValueError: no parameter is left to train, no teacher, or an unknown loss.

    Source: quant-retrain, section III.B, which names no loss; the temperature: Hinton, Vinyals and Dean (2014).
    """

    def __init__(
        self, student: Quantised, teacher: Recogniser | None, recipe: Recipe, draws: int = DRAWS, loss: str = "kl"
    ) -> None:
        super().__init__(student, recipe)
        if teacher is None:
            raise ValueError("wanted the teacher, the network in float32 that was quantised, got none")
        if loss not in LOSSES:
            raise ValueError(f"wanted loss {' or '.join(LOSSES)}, got {loss!r}")
        self.teacher = teacher.network.eval().requires_grad_(False)
        self.draws, self.loss = draws, loss
        self.seconds_teacher = self.seconds_statistics = 0.0
        self._answers = torch.empty(0)  # the teacher's logits, float16 (draws, images, heads, classes)

    def view(self) -> View:
        """The recipe's augmentation, repeating after ``draws`` epochs."""
        return partial(_repeated, super().view(), self.draws)

    def on_fit_start(self) -> None:
        """Compute the teacher's logits and the statistics of batch normalisation.

        Raises: TypeError: a datamodule other than Unlabelled.
        """
        datamodule = getattr(self.trainer, "datamodule", None)
        if not isinstance(datamodule, Unlabelled):
            raise TypeError(f"wanted unlabelled images, datamodule=Unlabelled(...), got {type(datamodule).__name__}")
        started = time.monotonic()
        self._answers = self._teacher_logits(datamodule)
        self.seconds_teacher = time.monotonic() - started
        with self.trainer.precision_plugin.forward_context():  # Lightning only applies it inside steps
            refit_statistics(self.network, datamodule.in_order(0), self.device)
        self.seconds_before = self._spent = time.monotonic() - started
        self.seconds_statistics = self.seconds_before - self.seconds_teacher

    def on_train_epoch_start(self) -> None:
        """Start the clock; eval mode keeps the statistics fixed and dropout off."""
        super().on_train_epoch_start()
        self.network.eval()

    def loss_of(self, logits: tuple[Tensor, ...], batch: Batch) -> Tensor:
        """Distance of the student from its teacher, summed over the heads; ``labels`` are the images' indices."""
        targets = self._answers[self.current_epoch % self.draws, batch["labels"].cpu()].to(self.device).float()
        losses = [self._distance(head.float(), targets[:, number]) for number, head in enumerate(logits)]
        return torch.stack(losses).sum()

    def _distance(self, student: Tensor, teacher: Tensor) -> Tensor:
        if self.loss == "mse":
            return mse_loss(student, teacher)
        log_p, log_q = log_softmax(student / TEMPERATURE, 1), log_softmax(teacher / TEMPERATURE, 1)
        # The square keeps gradients as large as without a temperature.
        return kl_div(log_p, log_q, reduction="batchmean", log_target=True) * TEMPERATURE**2

    @torch.no_grad()
    def _teacher_logits(self, datamodule: Unlabelled) -> Tensor:
        answers = torch.empty(0)
        for draw in range(self.draws):
            for batch in datamodule.in_order(draw):
                with self.trainer.precision_plugin.forward_context():
                    heads = every_logits(self.teacher, batch["images"].to(self.device))
                if not answers.numel():
                    shape = self.draws, len(datamodule.train), len(heads), heads[0].shape[1]
                    answers = torch.empty(shape, dtype=torch.float16)
                for number, logits in enumerate(heads):
                    answers[draw, batch["labels"], number] = logits.half().cpu()
        return answers


class ConventionalTask(Retraining):
    """Trains the same student on labels, the conventional way: the baseline of retraining without labels.

    ``Trainer.fit(task, datamodule)`` with any CharacterDataModule. Cross-entropy with the recipe's label smoothing,
    summed over the heads of a cascade; images are augmented anew in every epoch; batch normalisation and dropout are in
    training mode. The same tensors are trained as without labels, because the others are stored as codes. A comparison
    tries every rate of CONVENTIONAL_RATES from the same student and keeps the one with the best validation accuracy.

    Source: quant-retrain, section V, which does not describe its conventional retraining.
    """

    def __init__(self, student: Quantised, recipe: Recipe) -> None:
        super().__init__(student, recipe)
        self.network.train()

    def loss_of(self, logits: tuple[Tensor, ...], batch: Batch) -> Tensor:
        """Cross-entropy, summed over the heads."""
        smoothing = self.recipe.label_smoothing
        losses = [cross_entropy(one.float(), batch["labels"], label_smoothing=smoothing) for one in logits]
        return torch.stack(losses).sum()

    def on_train_epoch_start(self) -> None:
        """Start the clock, in training mode."""
        super().on_train_epoch_start()
        self.network.train()


def _repeated(view: View, draws: int, image: Any, key: Key) -> Any:
    """The augmentation of a view, repeating after ``draws`` epochs."""
    seed, epoch, index = key
    return view(image, (seed, epoch % draws, index))
