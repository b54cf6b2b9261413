"""How the heads of a cascade are trained and its exit policy is found, inside one ``Trainer.fit``."""

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

# A tenth from one to the next: by less, calibration on a few hundred characters does not repeat.
TEMPERATURES = tuple(round(1.1**step, 4) for step in range(-12, 13))


DRAWS = 4  # of validation characters that are not by writers of their own


class HeadTraining(pl.Callback):
    """Trains a cascade as its recipe says, then chooses where characters leave on the validation part.

    In a ``separate`` training the final network learns first, as if it were alone. Then everything that it has is
    frozen, batch normalisation's statistics too, and all early heads learn in one pass, by the same optimiser and
    schedule begun anew. Where the recipe has its heads ``begun``, the final network is trained already.

    Args:
        recipe: with its ``heads``.
    """

    def __init__(self, recipe: Recipe) -> None:
        assert recipe.heads is not None
        self.recipe, self.heads = recipe, recipe.heads
        self.second = recipe.heads.begun  # whether the early heads learn on frozen layers

    def setup(self, trainer: pl.Trainer, task: pl.LightningModule, stage: str) -> None:
        """Start with what learns first; comes before the optimiser is made.

        Raises:
            ValueError: a budget that is less than the first exit costs.
        """
        if stage == "fit":
            self._learn(task)
            if self.heads.budget is not None:
                found: Any = task
                costs = multiply_adds(_cascade(task), found.channels, found.size)
                least = (costs.stages[0] + costs.heads[0]) / costs.final
                if self.heads.budget < least:
                    raise ValueError(f"wanted a budget of at least {least:.3f}, {self.heads.budget} is below any exit")

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run continues from."""
        return {"second": self.second}

    def on_load_checkpoint(self, trainer: pl.Trainer, task: pl.LightningModule, checkpoint: dict[str, Any]) -> None:
        """Continue with what learned when it was saved; comes before the optimiser is made."""
        self.second = checkpoint["callbacks"][self.state_key]["second"]
        self._learn(task)

    def on_train_epoch_start(self, trainer: pl.Trainer, task: pl.LightningModule) -> None:
        """Begin the second training when the first one's epochs are over."""
        last = trainer.max_epochs or 0
        if self.heads.training == "separate" and trainer.current_epoch >= self.recipe.first_epochs(last):
            started, self.second = self.second, True
            self._learn(task)
            task.train()
            if not started:
                trainer.strategy.setup_optimizers(trainer)

    def on_fit_end(self, trainer: pl.Trainer, task: pl.LightningModule) -> None:
        """Choose the policy by the validation characters, and leave every weight trainable."""
        found: Any = task
        cascade = _cascade(task)
        cascade.learn(cascade.heads)
        data: CharacterDataModule = trainer.datamodule  # type: ignore[attr-defined]
        apart = writers_apart(data.train.writers, data.val.writers)
        batches = data.val_dataloader() if apart else _Drawn(data, found.view(), found.channels, found.size)
        find_policy(found.network, batches, self.heads, (found.channels, found.size), task.device, apart)

    def _learn(self, task: pl.LightningModule) -> None:
        cascade = _cascade(task)
        if self.heads.training == "joint":
            cascade.learn(cascade.heads)
        else:
            cascade.learn(cascade.heads[:-1] if self.second else cascade.heads[-1:])


def find_policy(
    network: nn.Module,
    batches: Any,
    settings: Heads,
    shape: tuple[int, int],
    device: torch.device | str = "cpu",
    apart: bool = True,
) -> ExitPolicy:
    """Give a sealed cascade the exit policy that its recipe asks for; returns it.

    Args:
        network: trained, in any mode; it is left in that mode.
        batches: of validation characters, read twice at most: for the temperatures, then for the answers by them.
        settings: of the recipe; a fixed threshold needs no answers.
        shape: of the input, (channels, size).
        device: where the network is.
        apart: whether the validation characters are by writers of their own.
    """
    cascade = cascade_of(network)
    if cascade is None:
        raise TypeError(f"wanted a sealed network with early exits, got {type(network).__name__} without them")
    mode = network.training
    network.eval()
    ones = (1.0,) * len(cascade.heads)
    cascade.policy = ExitPolicy(temperatures=ones)
    temperatures = fit_temperatures(network, batches, device) if settings.calibrated else ones
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
    """Whether all writers are known and none wrote for both parts."""
    known = bool((train != NO_WRITER).all() and (val != NO_WRITER).all())
    return known and not np.isin(val, train).any()


class _Drawn:
    """Validation characters several times, each as training would draw it: the fewer there are, the less they tell."""

    def __init__(self, data: CharacterDataModule, view: View, channels: int, size: int) -> None:
        self._loaders = [
            make_loader(BatchDataset(data.val, view, size, channels, seed), data.batch_size, shuffle=False, workers=0)
            for seed in range(DRAWS)
        ]

    def __iter__(self) -> Iterator[Batch]:
        return chain.from_iterable(self._loaders)


@torch.inference_mode()
def head_answers(
    network: nn.Module, batches: Any, device: torch.device | str = "cpu"
) -> tuple[HeadAnswers, NDArray[np.int64]]:
    """What every head of a sealed cascade says of the characters of these batches, and their labels."""
    found = [(*answers_of(every_head(network, batch["images"].to(device))), batch["labels"]) for batch in batches]
    top, confidence, together, labels = (torch.cat(parts).cpu().numpy() for parts in zip(*found, strict=True))
    return HeadAnswers(top, confidence, together), labels


def answers_of(probabilities: tuple[Tensor, ...]) -> tuple[Tensor, Tensor, Tensor]:
    """Top classes int32 (B, heads), their probabilities (B, heads), and the averaged heads' top classes int32 (B,)."""
    best = [head.max(1) for head in probabilities]
    together = (probabilities[-2] + probabilities[-1]).argmax(1)
    tops, values = torch.stack([b.indices for b in best], 1), torch.stack([b.values for b in best], 1)
    return tops.int(), values, together.int()


@torch.inference_mode()
def fit_temperatures(network: nn.Module, batches: Any, device: torch.device | str = "cpu") -> tuple[float, ...]:
    """The temperature of each head, of TEMPERATURES, by which the labels are likeliest.

    Args:
        network: a sealed cascade in eval mode whose policy has temperatures of 1.
        batches: of validation characters.
        device: where the network is.

    Source: Guo et al., On calibration of modern neural networks, ICML 2017.
    """
    losses: list[list[Tensor]] = []
    for batch in batches:
        heads = every_head(network, batch["images"].to(device))
        labels = batch["labels"].to(device)
        # A logarithm of probabilities serves as logits: they differ by a constant.
        logits = [head.clamp_min(torch.finfo(torch.float32).tiny).log() for head in heads]
        sums = [[cross_entropy(one / t, labels, reduction="sum") for t in TEMPERATURES] for one in logits]
        losses.append([torch.stack(row) for row in sums])
    totals = [torch.stack(parts).sum(0) for parts in zip(*losses, strict=True)]
    return tuple(TEMPERATURES[int(total.argmin())] for total in totals)


def counted(layers: nn.Module, maps: Tensor) -> float:
    """Multiply-adds of layers, as far as torch knows those of their operators."""
    with FlopCounterMode(display=False) as counter:
        layers(maps)
    return float(counter.get_total_flops()) / 2  # a product and its sum count apart there


def multiply_adds(
    cascade: Cascade, channels: int, size: int, count: Callable[[nn.Module, Tensor], float] = counted
) -> Costs:
    """Multiply-adds of the parts of a cascade for one character.

    Args:
        cascade: in any mode; it is left in that mode.
        channels: of its input.
        size: of its input, side in pixels.
        count: of some layers in eval mode, given their maps; records state what a stricter one finds.
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
    found = cascade_of(network)
    assert found is not None
    return found
