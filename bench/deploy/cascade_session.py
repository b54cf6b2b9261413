"""Runs the exported stages of a cascade one after the other, until the confidence of one reaches its threshold."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datamodules._image import with_channels

Call = Callable[..., Sequence[NDArray[Any]]]


@dataclass(frozen=True)
class ExportedStage:
    """One exported stage of a cascade.

    Attributes:
        model: ONNX. The first stage takes ``image``, uint8 (h, w) or (h, w, 3); later ones take ``before_maps``, the
            ``maps`` of the stage before, and, if they average, ``before``, its probabilities. The outputs are ``maps``,
            except for the last stage, and ``probabilities``.
        threshold: a character leaves if its top probability is at least this; None for the last stage.
        takes_before: whether the model takes ``before``.
    """

    model: bytes
    threshold: float | None
    takes_before: bool


class CascadeRecogniser:
    """A recogniser with early exits in any runtime, stage by stage, from the native-size character to probabilities.

    ``resize`` is the graph of its resize alone; ``open_call`` opens a graph in a runtime as a function from its inputs
    to its outputs, both in order.
    """

    def __init__(
        self, stages: Sequence[ExportedStage], resize: bytes, channels: int, open_call: Callable[[bytes], Call]
    ) -> None:
        self._stages = [(open_call(stage.model), stage.threshold, stage.takes_before) for stage in stages]
        self._resize, self._channels = open_call(resize), channels
        self.data_dependent_cost = len(stages) > 1

    def preprocess(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The graph's resize alone: uint8 (h, w) or (h, w, 3) -> uint8 (1, C, S, S)."""
        images: NDArray[np.uint8] = self._resize(with_channels(image, self._channels))[0].copy()
        return images

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities, float32 (classes,), of one native-size character."""
        maps: NDArray[Any] = with_channels(image, self._channels)
        probabilities: NDArray[np.float32] = np.empty((1, 0), np.float32)
        for call, threshold, takes_before in self._stages:
            *outputs, probabilities = call(maps, probabilities) if takes_before else call(maps)
            if threshold is None or probabilities.max() >= threshold:
                break
            maps = outputs[0]
        answer: NDArray[np.float32] = probabilities[0].copy()
        return answer
