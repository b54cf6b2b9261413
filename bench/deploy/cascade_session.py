"""The classifier that calls the exported stages of a cascade in turn until one is sure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datamodules._image import with_channels

Call = Callable[..., Sequence[NDArray[Any]]]


@dataclass(frozen=True)
class ExportedStage:
    """One stage.

    Attributes:
        model: ONNX; takes ``image``, uint8 (h, w) or (h, w, 3), or ``before_maps``, which the stage before left, and,
            where it averages, ``before``, that one's probabilities; gives ``maps``, unless it is the last, and
            ``probabilities``.
        threshold: a character leaves whose top probability is at least this; None for the last.
        takes_before: whether it takes the probabilities of the stage before.
    """

    model: bytes
    threshold: float | None
    takes_before: bool


class CascadeRecogniser:
    """A recogniser with early exits that a runtime runs stage by stage from the native-size character on.

    Attributes:
        data_dependent_cost: whether characters differ in cost.

    Args:
        stages: of the cascade.
        fitting: its resize alone, ONNX.
        channels: of its images.
        open_call: a graph as a call in some runtime: its inputs in order -> its outputs in order.
    """

    def __init__(
        self, stages: Sequence[ExportedStage], fitting: bytes, channels: int, open_call: Callable[[bytes], Call]
    ) -> None:
        self._stages = [(open_call(stage.model), stage.threshold, stage.takes_before) for stage in stages]
        self._fitting, self._channels = open_call(fitting), channels
        self.data_dependent_cost = len(stages) > 1

    def preprocess(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The graph's resize alone: uint8 (h, w) or (h, w, 3) -> uint8 (1, C, S, S)."""
        images: NDArray[np.uint8] = self._fitting(with_channels(image, self._channels))[0].copy()
        return images

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities, float32 (classes,), of one native-size character."""
        maps: NDArray[Any] = with_channels(image, self._channels)
        found: NDArray[np.float32] = np.empty((1, 0), np.float32)
        for call, threshold, takes_before in self._stages:
            *rest, found = call(maps, found) if takes_before else call(maps)
            if threshold is None or found.max() >= threshold:
                break
            maps = rest[0]
        answer: NDArray[np.float32] = found[0].copy()
        return answer
