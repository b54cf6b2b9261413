"""Networks with early exits (cascades): a character leaves at the first head whose confidence reaches a threshold."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from tasks.early_exits.policy import ExitPolicy
from tasks.normalised import Normalised

_DIGITS = 6  # decimals of a stored threshold or temperature: float32 holds no more; a policy refuses less than 1e-6


class Cascade(nn.Module):
    """A network with several heads in sequence; inference may end at every early head.

    In eval mode ``forward`` returns the final head's logits alone, so that a cascade works wherever a network does;
    ``EarlyExits`` follows the exit policy. The policy is stored in buffers and so in the weights file.

    Attributes:
        heads: names of the heads in order, the final one last.
        learning: the heads in training, whose logits ``forward`` returns in training mode.
        final: the network up to the final head, with the parameter names of the plain network, so that its weights
            load.
    """

    final: nn.Module

    def __init__(self, heads: Sequence[str], policy: ExitPolicy) -> None:
        super().__init__()
        self.heads = self.learning = tuple(heads)
        self.exits = _StoredPolicy(len(heads))
        self.policy = policy

    @abstractmethod
    def stage_layers(self, name: str) -> nn.Module:
        """The layers from the previous head, or the input, up to this head: float maps -> float maps."""

    @abstractmethod
    def head_layers(self, name: str) -> nn.Module:
        """The layers of a head: maps -> logits (B, classes)."""

    @property
    def policy(self) -> ExitPolicy:
        """The exit policy, stored in buffers; the setter raises ValueError for a policy that does not fit the heads."""
        stored = self.exits
        heads = zip(self.heads, stored.open.tolist(), stored.thresholds.tolist(), strict=True)
        exits = {name: round(threshold, _DIGITS) for name, is_open, threshold in heads if is_open}
        temperatures = tuple(round(value, _DIGITS) for value in stored.temperatures.tolist())
        return ExitPolicy(exits, bool(stored.average), temperatures)

    @policy.setter
    def policy(self, policy: ExitPolicy) -> None:
        temperatures = policy.temperatures or (1.0,) * len(self.heads)
        if not set(policy.exits) <= set(self.heads[:-1]) or len(temperatures) != len(self.heads):
            raise ValueError(f"wanted exits among {self.heads[:-1]} and {len(self.heads)} temperatures, got {policy}")
        stored = self.exits
        stored.open.copy_(torch.tensor([float(name in policy.exits) for name in self.heads]))
        stored.thresholds.copy_(torch.tensor([policy.exits.get(name, 1.0) for name in self.heads]))
        stored.average.fill_(float(policy.average))
        stored.temperatures.copy_(torch.tensor(temperatures))

    def forward(self, images: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Float (B, C, S, S) -> logits (B, classes) of the final head; in training mode those of ``learning``."""
        if self.training:
            return self.logits(images, self.learning)
        return self.logits(images, self.heads[-1:])[0]

    def logits(self, images: Tensor, heads: Sequence[str]) -> tuple[Tensor, ...]:
        """Float (B, C, S, S) -> logits (B, classes) of each of ``heads``, without the stages after the last of them."""
        maps, logits = images, []
        for name in self.heads[: 1 + max(map(self.heads.index, heads))]:
            maps = self.stage(name, maps)
            if name in heads:
                logits.append(self.head(name, maps))
        return tuple(logits)

    def stage(self, name: str, maps: Tensor) -> Tensor:
        """The feature maps at a head, from those at the previous head, or from the image."""
        return self.stage_layers(name)(maps)  # type: ignore[no-any-return]

    def head(self, name: str, maps: Tensor) -> Tensor:
        """Logits (B, classes) of a head, from the feature maps at it."""
        return self.head_layers(name)(maps)  # type: ignore[no-any-return]

    def learn(self, heads: Sequence[str]) -> None:
        """Select the heads to train: with the final head all stages are trained, early heads alone on frozen stages.

        The next call of ``train`` puts frozen layers into eval mode.
        """
        self.learning = tuple(heads)
        for parameter in self.parameters():
            parameter.requires_grad_(self.heads[-1] in heads)
        for name in self.heads[:-1]:
            for parameter in self.head_layers(name).parameters():
                parameter.requires_grad_(name in heads)

    def train(self, mode: bool = True) -> "Cascade":
        """Set the mode; frozen layers stay in eval mode, or their batch normalisation statistics would change."""
        frozen = mode and self.heads[-1] not in self.learning
        super().train(mode and not frozen)
        self.training = mode
        for name in self.learning if frozen else ():
            self.head_layers(name).train()
        return self


class ExitStage(nn.Module):
    """The part of a cascade from one exit to the next: the unit that runtimes export.

    Attributes:
        name: the head at its end.
        takes_before: whether its answer is averaged with the probabilities of the previous exit stage.
        threshold: a character leaves if its top probability is at least this; None at the final head.

    Args:
        network: the whole cascade.
        passed: the heads on the way. Those that the policy uses are computed, and their probabilities averaged.
        first: whether its input is the image, uint8, rather than feature maps.
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
        """Images or maps, and the previous exit stage's probabilities -> maps, and probabilities (B, classes)."""
        answers = [before] if before is not None and self.takes_before else []
        if self.front is not None:
            maps = self.front(maps)
        for stage, head, temperature in zip(self.stages, self.asked, self.temperatures, strict=True):
            maps = stage(maps)
            if temperature is not None:
                answers.append(torch.softmax(head(maps) / temperature, 1))
        return maps, answers[0] if len(answers) == 1 else (answers[0] + answers[1]) / 2


class LongPath(nn.Module):
    """The path of a character that leaves at no early head, as a network of fixed cost, from a Normalised cascade."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.exit_stages = nn.ModuleList(exit_stages(network))

    def forward(self, images: Tensor) -> Tensor:
        """Images, uint8 (B, C, S, S) -> probabilities (B, classes)."""
        maps: Tensor = images
        answer: Tensor | None = None
        for exit_stage in self.exit_stages:
            maps, answer = exit_stage(maps, answer)
        assert answer is not None
        return answer


class EarlyExits:
    """Runs a cascade with its exit policy: characters that have left are not computed further.

    Args:
        network: a Normalised cascade in eval mode; later changes of its policy have no effect.

    Raises: TypeError: a network without early exits.
    """

    def __init__(self, network: nn.Module) -> None:
        self.exit_stages = exit_stages(network)
        heads = _normalised_cascade(network)[1].heads
        self._numbers = [heads.index(exit_stage.name) for exit_stage in self.exit_stages]

    def __call__(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Images, uint8 (B, C, S, S) -> probabilities (B, classes), and the index of each one's exit, int64 (B,)."""
        maps, answer = images, None
        remaining = torch.arange(len(images), device=images.device)
        answers, numbers, order = [], [], []
        for exit_stage, number in zip(self.exit_stages, self._numbers, strict=True):
            maps, answer = exit_stage(maps, answer)
            sure = None if exit_stage.threshold is None else answer.amax(1) >= exit_stage.threshold
            if sure is None or bool(sure.all()):
                answers.append(answer)
                order.append(remaining)
                numbers.append(torch.full_like(remaining, number))
                break
            if bool(sure.any()):  # False for a single character, which is never copied
                answers.append(answer[sure])
                order.append(remaining[sure])
                numbers.append(torch.full_like(order[-1], number))
                maps, answer, remaining = maps[~sure], answer[~sure], remaining[~sure]
        if len(answers) == 1:
            return answers[0], numbers[0]
        places = torch.cat(order).argsort()
        return torch.cat(answers)[places], torch.cat(numbers)[places]


def cascade_of(network: nn.Module) -> Cascade | None:
    """The cascade inside a Normalised network, or the cascade itself; None for a network without early exits."""
    inner = network.network if isinstance(network, Normalised) else network
    return inner if isinstance(inner, Cascade) else None


def exit_stages(network: nn.Module) -> list[ExitStage]:
    """The exit stages of a Normalised cascade under its policy: one per exit, the last one up to the final head.

    Raises: TypeError: a network without early exits.
    """
    normalised, cascade = _normalised_cascade(network)
    policy, final = cascade.policy, cascade.heads[-1]
    stages: list[ExitStage] = []
    passed: list[str] = []
    for name in cascade.heads:
        passed.append(name)
        if name in (*policy.exits, final):
            averaged = name == final and policy.average and cascade.heads[-2] in policy.exits
            stages.append(ExitStage(normalised, passed, first=not stages, takes_before=averaged))
            passed = []
    return stages


def every_head(network: nn.Module, images: Tensor) -> tuple[Tensor, ...]:
    """Images, uint8 (B, C, S, S) -> calibrated probabilities (B, classes) of each head of a Normalised cascade."""
    normalised, cascade = _normalised_cascade(network)
    logits = cascade.logits(normalised.normalise(images), cascade.heads)
    return tuple(torch.softmax(one.float() / t, 1) for one, t in zip(logits, cascade.policy.temperatures, strict=True))


def every_logits(network: nn.Module, images: Tensor) -> tuple[Tensor, ...]:
    """Images, uint8 (B, C, S, S) -> logits (B, classes) of each head of a Normalised network, in any mode."""
    cascade = cascade_of(network)
    if cascade is None or not isinstance(network, Normalised):
        return (network(images),)
    return cascade.logits(network.normalise(images), cascade.heads)


def _normalised_cascade(network: nn.Module) -> tuple[Normalised, Cascade]:
    cascade = cascade_of(network)
    if cascade is None or not isinstance(network, Normalised):
        raise TypeError(f"wanted a Normalised network with early exits, got {type(network).__name__} without them")
    return network, cascade


class _StoredPolicy(nn.Module):
    """An exit policy as buffers of the weights file; ``open`` is 1 for heads where characters may leave, else 0."""

    open: Tensor
    thresholds: Tensor
    average: Tensor
    temperatures: Tensor

    def __init__(self, heads: int) -> None:
        super().__init__()
        values = {"open": torch.zeros(heads), "thresholds": torch.ones(heads), "average": torch.zeros(()),
                  "temperatures": torch.ones(heads)}  # fmt: skip
        for name, value in values.items():
            self.register_buffer(name, value)

    def _load_from_state_dict(self, state: dict[str, Any], prefix: str, *rest: Any) -> None:
        """Also load weights of earlier versions, with one threshold for all heads."""
        one = state.pop(f"{prefix}threshold", None)
        if one is not None:
            state[f"{prefix}thresholds"] = one.expand(len(self.thresholds)).clone()
        super()._load_from_state_dict(state, prefix, *rest)
