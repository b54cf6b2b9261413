"""ONNX Runtime on the CPU, in fp32 or int8; the resize is part of the exported graph."""

import numpy as np
from numpy.typing import NDArray

from bench.deploy.cascade_session import Call
from bench.deploy.onnx_session import open_call, open_session
from bench.runtimes._base import Loader, Subject, threads
from bench.runtimes._exported import exported
from datamodules._image import with_channels

FORMS = ("int8",)
ALL_THREADS = True


class OnnxRecogniser:
    """A recogniser in ONNX Runtime: takes its ONNX graph, the graph of its resize alone, and its channels."""

    def __init__(self, model: bytes, resize: bytes, channels: int) -> None:
        self._session, self._resize = open_session(model, threads()), open_session(resize, threads())
        self._channels = channels

    def preprocess(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The graph's resize alone, in a separate session: uint8 (h, w) or (h, w, 3) -> uint8 (1, C, S, S)."""
        images: NDArray[np.uint8] = self._resize.run(None, {"image": with_channels(image, self._channels)})[0]
        return images

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities, float32 (classes,), of one native-size character."""
        answer = self._session.run(None, {"image": with_channels(image, self._channels)})
        probabilities: NDArray[np.float32] = answer[0][0]
        return probabilities


def prepare(subject: Subject, form: str) -> Loader:
    """Export the recogniser, one graph per stage if it has early exits; each classifier loads the graphs again."""
    return exported(subject, form, OnnxRecogniser, _open_call)


def _open_call(model: bytes) -> Call:
    return open_call(model, threads())
