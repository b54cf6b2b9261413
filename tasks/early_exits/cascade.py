"""Networks with early exits: a character leaves at the first head that is sure of it, and costs nothing from there."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from tasks.early_exits.policy import ExitPolicy
from tasks.normalised import Normalised

_DIGITS = 6  # of a stored threshold or temperature: float32 holds no more; policies refuse what would become 0


class Cascade(nn.Module):
    """A network whose heads are reached one after the other; every early one may end it.

    In evaluation it answers as its final head alone, so that whatever takes a network takes it; ``EarlyExits``
    follows the policy. The policy lies among the buffers and so in the weights' file.

    Attributes:
        heads: their names in the order in which they are reached, the final one last.
        learning: the heads whose logits it gives while it trains.
        final: the network that the final head ends, under the names that it has alone, so that its weights load.

    Args:
        heads: as the attribute.
        policy: until another one is taken.
    """

    final: nn.Module

    def __init__(self, heads: Sequence[str], policy: ExitPolicy) -> None:
        super().__init__()
        self.heads = self.learning = tuple(heads)
        self.exits = _StoredPolicy(len(heads))
        self.policy = policy

    @abstractmethod
    def stage_layers(self, name: str) -> nn.Module:
        """The layers from the head before, or the input, up to this head: float maps -> float maps."""

    @abstractmethod
    def head_layers(self, name: str) -> nn.Module:
        """The layers of a head: maps -> logits (B, classes)."""

    @property
    def policy(self) -> ExitPolicy:
        """Where and when characters leave."""
        stored = self.exits
        thresholds, temperatures = (
            [round(value, _DIGITS) for value in values.tolist()] for values in (stored.thresholds, stored.temperatures)
        )
        heads = zip(self.heads, stored.open.tolist(), thresholds, strict=True)
        exits = {name: threshold for name, open_, threshold in heads if open_}
        return ExitPolicy(exits, bool(stored.average), tuple(temperatures))

    @policy.setter
    def policy(self, policy: ExitPolicy) -> None:
        """Take a policy.

        Raises:
            ValueError: it leaves at heads that are no early ones of this network, or has not a temperature for each.
        """
        temperatures = policy.temperatures or (1.0,) * len(self.heads)
        if not set(policy.exits) <= set(self.heads[:-1]) or len(temperatures) != len(self.heads):
            raise ValueError(f"wanted exits among {self.heads[:-1]} and {len(self.heads)} temperatures, got {policy}")
        stored = self.exits
        stored.open.copy_(torch.tensor([float(name in policy.exits) for name in self.heads]))
        stored.thresholds.copy_(torch.tensor([policy.exits.get(name, 1.0) for name in self.heads]))
        stored.average.fill_(float(policy.average))
        stored.temperatures.copy_(torch.tensor(temperatures))

    def forward(self, images: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Float (B, C, S, S) -> logits (B, classes) of the final head; while training, those of ``learning``."""
        if self.training:
            return self.logits(images, self.learning)
        return self.logits(images, self.heads[-1:])[0]

    def logits(self, images: Tensor, heads: Sequence[str]) -> tuple[Tensor, ...]:
        """Logits (B, classes) of some heads, without the stages behind the last of them."""
        maps, found = images, []
        for name in self.heads[: 1 + max(map(self.heads.index, heads))]:
            maps = self.stage(name, maps)
            if name in heads:
                found.append(self.head(name, maps))
        return tuple(found)

    def stage(self, name: str, maps: Tensor) -> Tensor:
        """The maps at a head, from those at the head before, or the image."""
        return self.stage_layers(name)(maps)  # type: ignore[no-any-return]

    def head(self, name: str, maps: Tensor) -> Tensor:
        """Logits (B, classes) of a head, from its maps."""
        return self.head_layers(name)(maps)  # type: ignore[no-any-return]

    def learn(self, heads: Sequence[str]) -> None:
        """Train these heads: the final one with all that leads to it, early ones without it on frozen layers.

        What is frozen goes into evaluation mode with the next call of ``train``.
        """
        self.learning = tuple(heads)
        for parameter in self.parameters():
            parameter.requires_grad_(self.heads[-1] in heads)
        for name in self.heads[:-1]:
            for parameter in self.head_layers(name).parameters():
                parameter.requires_grad_(name in heads)

    def train(self, mode: bool = True) -> "Cascade":
        """As any module, but frozen layers stay in evaluation mode: batch normalisation would go on moving there."""
        frozen = mode and self.heads[-1] not in self.learning
        super().train(mode and not frozen)
        self.training = mode
        for name in self.learning if frozen else ():
            self.head_layers(name).train()
        return self


class ExitStage(nn.Module):
    """What a character passes from one exit to the next: the unit that runtimes export.

    Attributes:
        name: the head at whose answer it ends.
        takes_before: whether the answer of the exit stage before is part of its own.
        threshold: a character leaves whose top probability is at least this; None at the final head.

    Args:
        network: the whole.
        passed: the heads on the way; those that the policy asks are computed, and their answers averaged.
        first: whether it starts at the image, uint8, not at maps.
    """

    def __init__(self, network: Normalised, passed: Sequence[str], first: bool, takes_before: bool) -> None:
        super().__init__()
        cascade = cascade_of(network)
        assert cascade is not None
        policy, self.name, self.takes_before = cascade.policy, passed[-1], takes_before
        self.threshold = policy.exits.get(self.name)
        self.front = network.normalise if first else None
        self.stages = nn.ModuleList([cascade.stage_layers(name) for name in passed])
        asked = policy.asked(cascade.heads)
        self.asked = nn.ModuleList([cascade.head_layers(n) if n in asked else nn.Identity() for n in passed])
        self.temperatures = [policy.temperatures[cascade.heads.index(n)] if n in asked else None for n in passed]

    def forward(self, maps: Tensor, before: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Images or maps, and the probabilities of the exit stage before, -> maps and probabilities (B, classes)."""
        found = [before] if before is not None and self.takes_before else []
        if self.front is not None:
            maps = self.front(maps)
        for stage, head, temperature in zip(self.stages, self.asked, self.temperatures, strict=True):
            maps = stage(maps)
            if temperature is not None:
                found.append(torch.softmax(head(maps) / temperature, 1))
        return maps, found[0] if len(found) == 1 else (found[0] + found[1]) / 2


class LongPath(nn.Module):
    """What a character passes that no early head is sure of, as a network of fixed cost.

    Args:
        network: a sealed cascade.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.exit_stages = nn.ModuleList(exit_stages(network))

    def forward(self, images: Tensor) -> Tensor:
        """Images, uint8 (B, C, S, S) -> probabilities (B, classes)."""
        maps: Tensor = images
        found: Tensor | None = None
        for exit_stage in self.exit_stages:
            maps, found = exit_stage(maps, found)
        assert found is not None
        return found


class EarlyExits:
    """A cascade behind one call that skips what its policy lets it skip, for one character or many.

    Args:
        network: a sealed cascade in eval mode; its policy is taken as it is now.

    Raises:
        TypeError: a network without early exits.
    """

    def __init__(self, network: nn.Module) -> None:
        self.exit_stages = exit_stages(network)
        cascade = cascade_of(network)
        assert cascade is not None
        self._numbers = [cascade.heads.index(exit_stage.name) for exit_stage in self.exit_stages]

    def __call__(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Images, uint8 (B, C, S, S) -> probabilities (B, classes), and the number of each one's exit, int64 (B,)."""
        maps, found = images, None
        places = torch.arange(len(images), device=images.device)
        answers, numbers, left = [], [], []
        for exit_stage, number in zip(self.exit_stages, self._numbers, strict=True):
            maps, found = exit_stage(maps, found)
            sure = None if exit_stage.threshold is None else found.amax(1) >= exit_stage.threshold
            if sure is None or bool(sure.all()):
                answers.append(found)
                left.append(places)
                numbers.append(torch.full_like(places, number))
                break
            if bool(sure.any()):  # never for a single character: it stays whole, without a copy
                answers.append(found[sure])
                left.append(places[sure])
                numbers.append(torch.full_like(left[-1], number))
                maps, found, places = maps[~sure], found[~sure], places[~sure]
        if len(answers) == 1:
            return answers[0], numbers[0]
        order = torch.cat(left).argsort()
        return torch.cat(answers)[order], torch.cat(numbers)[order]


def cascade_of(network: nn.Module) -> Cascade | None:
    """The cascade inside a sealed network; None where it has no early exits."""
    inner = network.network if isinstance(network, Normalised) else network
    return inner if isinstance(inner, Cascade) else None


def exit_stages(network: nn.Module) -> list[ExitStage]:
    """The exit stages of a sealed cascade, by its policy: one for each exit, the last up to the final head.

    Raises:
        TypeError: a network without early exits.
    """
    cascade = cascade_of(network)
    if cascade is None or not isinstance(network, Normalised):
        raise TypeError(f"wanted a sealed network with early exits, got {type(network).__name__} without them")
    policy = cascade.policy
    found: list[ExitStage] = []
    passed: list[str] = []
    for name in cascade.heads:
        passed.append(name)
        if name in (*policy.exits, cascade.heads[-1]):
            final = name == cascade.heads[-1]
            carried = final and policy.average and cascade.heads[-2] in policy.exits
            found.append(ExitStage(network, passed, first=not found, takes_before=carried))
            passed = []
    return found


def every_head(network: nn.Module, images: Tensor) -> tuple[Tensor, ...]:
    """Probabilities (B, classes) of each head of a sealed cascade, by the temperatures of its policy."""
    cascade = cascade_of(network)
    if cascade is None or not isinstance(network, Normalised):
        raise TypeError(f"wanted a sealed network with early exits, got {type(network).__name__} without them")
    logits = cascade.logits(network.normalise(images), cascade.heads)
    return tuple(torch.softmax(one.float() / t, 1) for one, t in zip(logits, cascade.policy.temperatures, strict=True))


def every_logits(network: nn.Module, images: Tensor) -> tuple[Tensor, ...]:
    """Of images, uint8 (B, C, S, S): logits (B, classes) of every head of a sealed network, in any mode."""
    cascade = cascade_of(network)
    if cascade is None or not isinstance(network, Normalised):
        return (network(images),)
    return cascade.logits(network.normalise(images), cascade.heads)


class _StoredPolicy(nn.Module):
    """A policy as buffers, so that it travels with the weights; ``open`` marks the heads where one may leave."""

    open: Tensor
    thresholds: Tensor
    average: Tensor
    temperatures: Tensor

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.register_buffer("open", torch.zeros(heads))
        self.register_buffer("thresholds", torch.ones(heads))
        self.register_buffer("average", torch.zeros(()))
        self.register_buffer("temperatures", torch.ones(heads))

    def _load_from_state_dict(self, state: dict[str, Any], prefix: str, *rest: Any) -> None:
        """Take weights of earlier versions too, which hold one threshold for all heads."""
        one = state.pop(f"{prefix}threshold", None)
        if one is not None:
            state[f"{prefix}thresholds"] = one.expand(len(self.thresholds)).clone()
        super()._load_from_state_dict(state, prefix, *rest)
