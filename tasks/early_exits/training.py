"""Trains the heads of a cascade and chooses its exit policy, within one ``Trainer.fit``."""

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.flop_counter import FlopCounterMode

from datamodules._base import CharacterDataModule
from datamodules._characters import NO_WRITER
from datamodules._loader import Batch, BatchDataset, View, make_loader
from tasks.early_exits.cascade import Cascade, cascade_of, every_head
from tasks.early_exits.policy import Costs, ExitPolicy, HeadAnswers, choose_policy
from tasks.recipe import Heads, Recipe

# Steps of a tenth: calibration on a few hundred characters is not reproducible more finely.
TEMPERATURES = tuple(round(1.1**step, 4) for step in range(-12, 13))
DRAWS = 4  # augmented versions of validation characters, if their writers also wrote training characters


class HeadTraining(pl.Callback):
    """Trains a cascade by the ``heads`` of its recipe, then chooses its exit policy on the validation part.

    A ``separate`` training first trains the final network alone. Then it freezes all of that network, including the
    statistics of batch normalisation, and trains all early heads in one pass, with a new optimiser and schedule. If the
    heads are ``begun``, the final network is trained already and only the early heads are trained.
    """

    def __init__(self, recipe: Recipe) -> None:
        assert recipe.heads is not None
        self.recipe, self.heads = recipe, recipe.heads
        self.second = recipe.heads.begun  # whether the early heads are in training, on frozen layers

    def setup(self, trainer: pl.Trainer, task: pl.LightningModule, stage: str) -> None:
        """Select the heads to train first, before the optimiser is created.

        Raises: ValueError: a budget below the cost of the first exit.
        """
        if stage != "fit":
            return
        self._select_heads(task)
        if self.heads.budget is not None:
            classification: Any = task
            costs = multiply_adds(_cascade(task), classification.channels, classification.size)
            least = (costs.stages[0] + costs.heads[0]) / costs.final
            if self.heads.budget < least:
                raise ValueError(f"wanted a budget of at least {least:.3f}, {self.heads.budget} is below any exit")

    def state_dict(self) -> dict[str, Any]:
        """State of a checkpoint, for resuming."""
        return {"second": self.second}

    def on_load_checkpoint(self, trainer: pl.Trainer, task: pl.LightningModule, checkpoint: dict[str, Any]) -> None:
        """Select the heads that were in training when it was saved, before the optimiser is created."""
        self.second = checkpoint["callbacks"][self.state_key]["second"]
        self._select_heads(task)

    def on_train_epoch_start(self, trainer: pl.Trainer, task: pl.LightningModule) -> None:
        """Begin the training of the early heads after the epochs of the final network."""
        last = trainer.max_epochs or 0
        if self.heads.training == "separate" and trainer.current_epoch >= self.recipe.first_epochs(last):
            started, self.second = self.second, True
            self._select_heads(task)
            task.train()
            if not started:
                trainer.strategy.setup_optimizers(trainer)

    def on_fit_end(self, trainer: pl.Trainer, task: pl.LightningModule) -> None:
        """Choose the policy on the validation characters; afterwards every weight is trainable."""
        classification: Any = task
        cascade = _cascade(task)
        cascade.learn(cascade.heads)
        data: CharacterDataModule = trainer.datamodule  # type: ignore[attr-defined]
        apart = writers_apart(data.train.writers, data.val.writers)
        shape = classification.channels, classification.size
        batches = data.val_dataloader() if apart else _Augmented(data, classification.view(), *shape)
        find_policy(classification.network, batches, self.heads, shape, task.device, apart)

    def _select_heads(self, task: pl.LightningModule) -> None:
        cascade = _cascade(task)
        if self.heads.training == "joint":
            cascade.learn(cascade.heads)
        else:
            cascade.learn(cascade.heads[:-1] if self.second else cascade.heads[-1:])


def find_policy(
    network: nn.Module, batches: Any, settings: Heads, shape: tuple[int, int],
    device: torch.device | str = "cpu", apart: bool = True,
) -> ExitPolicy:  # fmt: skip
    """Choose the exit policy that a recipe asks for, and set it; returns it.

    Args:
        network: a trained Normalised cascade; its mode is restored.
        batches: of validation characters, iterated at most twice: for the temperatures, then for the policy.
        settings: ``heads`` of the recipe; a fixed threshold needs no predictions.
        shape: of the input, (channels, size).
        device: of the network.
        apart: whether the writers of the validation characters wrote no training characters.

    Raises:
        TypeError: a network without early exits.
        ValueError: no characters, or no policy within the budget.
    """
    cascade = cascade_of(network)
    if cascade is None:
        raise TypeError(f"wanted a Normalised network with early exits, got {type(network).__name__} without them")
    mode = network.training
    network.eval()
    temperatures = (1.0,) * len(cascade.heads)
    if settings.calibrated:
        cascade.policy = ExitPolicy(temperatures=temperatures)
        temperatures = fit_temperatures(network, batches, device)
    if settings.threshold is not None:
        policy = ExitPolicy({cascade.heads[0]: settings.threshold}, settings.average is True, temperatures)
    else:
        cascade.policy = ExitPolicy(temperatures=temperatures)
        answers, labels = head_answers(network, batches, device)
        costs = multiply_adds(cascade, *shape)
        budget = None if settings.budget is None else settings.budget * costs.final
        policy = choose_policy(
            cascade.heads, answers, labels, costs, temperatures, settings.average, budget, settings.margin,
            None if apart else settings.most_lost,
        )  # fmt: skip
    cascade.policy = policy
    network.train(mode)
    return policy


def writers_apart(train: NDArray[np.int32], val: NDArray[np.int32]) -> bool:
    """Whether all writers are known and no writer of the validation part wrote training characters."""
    known = bool((train != NO_WRITER).all() and (val != NO_WRITER).all())
    return known and not np.isin(val, train).any()


class _Augmented:
    """DRAWS augmented versions of the validation characters, because few unaugmented ones carry little information."""

    def __init__(self, data: CharacterDataModule, view: View, channels: int, size: int) -> None:
        datasets = [BatchDataset(data.val, view, size, channels, seed) for seed in range(DRAWS)]
        self._loaders = [make_loader(dataset, data.batch_size, shuffle=False, workers=0) for dataset in datasets]

    def __iter__(self) -> Iterator[Batch]:
        return chain.from_iterable(self._loaders)


@torch.inference_mode()
def head_answers(
    network: nn.Module, batches: Any, device: torch.device | str = "cpu"
) -> tuple[HeadAnswers, NDArray[np.int64]]:
    """Predictions of every head of a Normalised cascade for the characters of the batches, and their labels, (n,)."""
    found = [(*answers_of(every_head(network, batch["images"].to(device))), batch["labels"]) for batch in batches]
    top, confidence, together, labels = (torch.cat(parts).cpu().numpy() for parts in zip(*found, strict=True))
    return HeadAnswers(top, confidence, together), labels


def answers_of(probabilities: tuple[Tensor, ...]) -> tuple[Tensor, Tensor, Tensor]:
    """The fields of HeadAnswers, from probabilities (B, classes) of each head."""
    confidence, top = (torch.stack(parts, 1) for parts in zip(*(head.max(1) for head in probabilities), strict=True))
    return top.int(), confidence, (probabilities[-2] + probabilities[-1]).argmax(1).int()


@torch.inference_mode()
def fit_temperatures(network: nn.Module, batches: Any, device: torch.device | str = "cpu") -> tuple[float, ...]:
    """The temperature of each head, among TEMPERATURES, with the smallest cross-entropy on validation batches.

    The network is a Normalised cascade in eval mode whose policy has temperatures of 1.

    Source: Guo et al., On calibration of modern neural networks, ICML 2017.
    """
    losses: list[list[Tensor]] = []
    for batch in batches:
        heads = every_head(network, batch["images"].to(device))
        labels = batch["labels"].to(device)
        # Logarithms of probabilities equal logits up to a constant.
        logits = [head.clamp_min(torch.finfo(torch.float32).tiny).log() for head in heads]
        sums = [[cross_entropy(one / t, labels, reduction="sum") for t in TEMPERATURES] for one in logits]
        losses.append([torch.stack(row) for row in sums])
    totals = [torch.stack(parts).sum(0) for parts in zip(*losses, strict=True)]
    return tuple(TEMPERATURES[int(total.argmin())] for total in totals)


def counted(layers: nn.Module, maps: Tensor) -> float:
    """Multiply-adds of layers, of the operators that torch's FLOP counter knows."""
    with FlopCounterMode(display=False) as counter:
        layers(maps)
    return float(counter.get_total_flops()) / 2  # torch counts a multiply-add as two FLOPs


def multiply_adds(
    cascade: Cascade, channels: int, size: int, count: Callable[[nn.Module, Tensor], float] = counted
) -> Costs:
    """Multiply-adds of the parts of a cascade for one character.

    Args:
        cascade: its mode is restored.
        channels: of its input.
        size: side of its input in pixels.
        count: counts the multiply-adds of layers in eval mode on their input; records use a stricter counter.
    """
    mode = cascade.training
    cascade.eval()
    parameter = next(cascade.parameters())
    maps, stages, heads = torch.zeros(1, channels, size, size, device=parameter.device), [], []
    with torch.inference_mode():
        for name in cascade.heads:
            stages.append(count(cascade.stage_layers(name), maps))
            maps = cascade.stage(name, maps)
            heads.append(count(cascade.head_layers(name), maps))
    cascade.train(mode)
    return Costs(tuple(stages), tuple(heads))


def _cascade(task: pl.LightningModule) -> Cascade:
    network: Any = task.network
    cascade = cascade_of(network)
    assert cascade is not None
    return cascade
