"""What a quantised network keeps in float32 learns again: from its teacher's answers, or from labels."""

import time
from abc import abstractmethod
from contextlib import AbstractContextManager
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
    """What both ways of retraining share: what learns, the curve and its clock.

    Attributes:
        learning: how many numbers learn.
        points: the curve: ``epoch``, 0 for before; ``seconds`` of learning up to there, without validation;
            ``accuracy`` on the validation part, of the answers that the network gives.
        seconds_before: of these, what was spent before the first epoch.

    Args:
        student: learns in place; its quantised tensors stay as they are, bit for bit.
        recipe: optimiser, schedule, batch, epochs and augmentation.

    Raises:
        ValueError: nothing is left to learn.
    """

    def __init__(self, student: Quantised, recipe: Recipe) -> None:
        super().__init__()
        self.student, self.network, self.recipe = student, student.network, recipe
        self.learning = freeze(student)
        self.points: list[dict[str, float]] = []
        self.seconds_before = 0.0
        self._spent, self._since = 0.0, 0.0
        self._right = self._asked = 0

    @abstractmethod
    def loss_of(self, logits: tuple[Tensor, ...], batch: Batch) -> Tensor:
        """The loss of every head's logits, (B, classes) each."""

    def view(self) -> View:
        """What images pass through."""
        return CharacterAugmentation(self.recipe.augmentation, self.student.size)

    def setup(self, stage: str) -> None:
        """Give the datamodule this network's input, the recipe's batch size and augmentation."""
        datamodule = getattr(self.trainer, "datamodule", None)
        if not isinstance(datamodule, CharacterDataModule):
            raise TypeError(f"wanted a CharacterDataModule, got {type(datamodule).__name__}; give it as datamodule=...")
        datamodule.set_input(self.student.channels, self.student.size)
        datamodule.batch_size = self.recipe.batch
        datamodule.keep_rest = False
        datamodule.set_augmentation(self.view())

    def forward(self, images: Tensor) -> Tensor:
        """Images, uint8 (B, C, S, S) -> logits (B, classes), of the final head where there are several."""
        return self.network(images)  # type: ignore[no-any-return]

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """One step of what learns."""
        return self.loss_of(every_logits(self.network, batch["images"]), batch)

    def on_train_epoch_start(self) -> None:
        """Start the clock."""
        self._since = time.monotonic()

    def on_validation_start(self) -> None:
        """Stop the clock: the curve costs nobody but who wants to see it."""
        if self._since:
            self._spent += time.monotonic() - self._since
            self._since = 0.0
        self._right = self._asked = 0

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Count the right answers."""
        best, _ = best_answers(self.network, batch["images"])
        self._right += int((best.indices[:, 0] == batch["labels"]).sum())
        self._asked += len(batch["labels"])

    def on_validation_epoch_end(self) -> None:
        """One more point of the curve; the one before any learning where ``Trainer.validate`` comes first."""
        accuracy = self._right / max(1, self._asked)
        if not self.trainer.sanity_checking:
            epoch = self.current_epoch + 1 if self.trainer.state.fn == "fit" else 0
            self.points.append({"epoch": epoch, "seconds": self._spent, "accuracy": accuracy})
        self.log("val_accuracy", accuracy)

    def configure_optimizers(self) -> Any:
        """The recipe's, over what learns."""
        optimizer = make_optimizer(self.recipe, [p for p in self.network.parameters() if p.requires_grad])
        for group in optimizer.param_groups:
            group["lr"] *= LAYERS if any(p.ndim > 1 for p in group["params"]) else 1
        steps = int(self.trainer.estimated_stepping_batches)
        schedule = make_schedule(self.recipe, optimizer, steps, max(1, steps // (self.trainer.max_epochs or 1)))
        if schedule is None:
            return optimizer
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


class RetrainingTask(Retraining):
    """A quantised student learns what its frozen teacher answers to images without labels.

    ``Trainer.fit(task, datamodule=Unlabelled(...))``. What is left in float32 learns: whole layers, scales and shifts
    of batch normalisation, biases that were kept. The statistics of batch normalisation are measured anew on the
    unlabelled images first, see ``refit_statistics``, and stay fixed then. All heads of a cascade are taught alike; its
    exit policy stays.

    The teacher answers once, before the first epoch, to ``draws`` augmented versions of each image, and epochs see
    these in turn. Validation labels are read for the curve alone: nothing depends on them.

    Attributes:
        seconds_teacher, seconds_statistics: of the teacher's answers, and of the statistics; ``points`` count them.

    Args:
        student: see Retraining.
        teacher: the network that was quantised, in float32.
        recipe: see Retraining.
        draws: versions of each image.
        loss: between the output vectors of student and teacher: ``kl``, the Kullback-Leibler divergence of their
            probabilities at TEMPERATURE, or ``mse``, the mean squared difference of their logits.

    Raises:
        ValueError: nothing is left to learn, no teacher, or no such loss.

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
        self._answers = torch.empty(0)  # float16 (draws, images, heads, classes)

    def view(self) -> View:
        """The recipe's augmentation, the same again after so many epochs."""
        return _Repeated(super().view(), self.draws)

    def on_fit_start(self) -> None:
        """Ask the teacher, and measure the statistics.

        Raises:
            TypeError: images with labels.
        """
        datamodule = getattr(self.trainer, "datamodule", None)
        if not isinstance(datamodule, Unlabelled):
            raise TypeError(f"wanted images without labels, as Unlabelled gives them, got {type(datamodule).__name__}")
        started = time.monotonic()
        self._answers = self._answered(datamodule)
        self.seconds_teacher = time.monotonic() - started
        with self._precision():
            refit_statistics(self.network, datamodule.in_order(0), self.device)
        self.seconds_before = self._spent = time.monotonic() - started
        self.seconds_statistics = self.seconds_before - self.seconds_teacher

    def on_train_epoch_start(self) -> None:
        """Start the clock; statistics and dropout stay off."""
        super().on_train_epoch_start()
        self.network.eval()

    def loss_of(self, logits: tuple[Tensor, ...], batch: Batch) -> Tensor:
        """How far the student is from its teacher, summed over the heads; a batch's labels are its images' numbers."""
        wanted = self._answers[self.current_epoch % self.draws, batch["labels"].cpu()].to(self.device).float()
        losses = [self._between(one.float(), wanted[:, number]) for number, one in enumerate(logits)]
        return torch.stack(losses).sum()

    def _between(self, student: Tensor, teacher: Tensor) -> Tensor:
        if self.loss == "mse":
            return mse_loss(student, teacher)
        learnt, wanted = log_softmax(student / TEMPERATURE, 1), log_softmax(teacher / TEMPERATURE, 1)
        # The square keeps gradients as large as without a temperature.
        return kl_div(learnt, wanted, reduction="batchmean", log_target=True) * TEMPERATURE**2

    @torch.no_grad()
    def _answered(self, datamodule: Unlabelled) -> Tensor:
        """The teacher's logits, float16 (draws, images, heads, classes), on the CPU."""
        answers = torch.empty(0)
        for draw in range(self.draws):
            for batch in datamodule.in_order(draw):
                with self._precision():
                    heads = every_logits(self.teacher, batch["images"].to(self.device))
                if not answers.numel():
                    shape = self.draws, len(datamodule.train), len(heads), heads[0].shape[1]
                    answers = torch.empty(shape, dtype=torch.float16)
                for number, one in enumerate(heads):
                    answers[draw, batch["labels"], number] = one.half().cpu()
        return answers

    def _precision(self) -> AbstractContextManager[None]:
        """That of the training; Lightning enters it for steps alone."""
        return self.trainer.precision_plugin.forward_context()


class ConventionalTask(Retraining):
    """The same student learns from labels, as it is usually done: what retraining without them is measured against.

    ``Trainer.fit(task, datamodule)`` with any CharacterDataModule. Cross-entropy with the recipe's label smoothing,
    summed over the heads of a cascade; images augmented afresh in every epoch; batch normalisation and dropout as in
    any training. The same tensors learn as without labels: the others are what the codes in the file say. Who compares
    tries every rate of CONVENTIONAL_RATES from the same student and keeps the best by validation accuracy.

    Source: quant-retrain, section V, which does not say what its conventional retraining is.
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
        """Start the clock."""
        super().on_train_epoch_start()
        self.network.train()


def freeze(student: Quantised) -> int:
    """Let only what was not quantised learn; says how many numbers that are.

    Raises:
        ValueError: there are none.
    """
    learning = 0
    for name, parameter in student.network.named_parameters():
        parameter.requires_grad_(name not in student.frozen)
        learning += parameter.numel() if parameter.requires_grad else 0
    if not learning:
        raise ValueError(
            f"wanted layers that may still learn, got none: all {len(student.frozen)} tensors with weights are "
            "quantised; leave a layer in float32, keep the biases, or do not fold the normalisation"
        )
    return learning


class _Repeated:
    """A view that draws the same again after so many epochs."""

    def __init__(self, view: View, draws: int) -> None:
        self.view, self.draws = view, draws

    def __call__(self, image: Any, key: Key) -> Any:
        seed, epoch, index = key
        return self.view(image, (seed, epoch % self.draws, index))
