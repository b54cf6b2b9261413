"""ONNX Runtime on the CPU, plain or in int8; the resize is part of the exported graph."""

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
    """A recogniser that ONNX Runtime runs from the native-size character on.

    Args:
        model: the exported recogniser.
        fitting: its resize alone.
        channels: of its images.

    Raises:
        ModuleNotFoundError: ONNX Runtime is not installed; says what to install.
    """

    def __init__(self, model: bytes, fitting: bytes, channels: int) -> None:
        self._session, self._fitting = open_session(model, threads()), open_session(fitting, threads())
        self._channels = channels

    def preprocess(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The graph's resize alone, as a session of its own: uint8 (h, w) or (h, w, 3) -> uint8 (1, C, S, S)."""
        images: NDArray[np.uint8] = self._fitting.run(None, {"image": with_channels(image, self._channels)})[0]
        return images

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities, float32 (classes,), of one native-size character."""
        answer = self._session.run(None, {"image": with_channels(image, self._channels)})
        found: NDArray[np.float32] = answer[0][0]
        return found


def prepare(subject: Subject, form: str) -> Loader:
    """Export the recogniser, with early exits stage by stage; each classifier loads the graphs anew."""
    return exported(subject, form, OnnxRecogniser, _open_call)


def _open_call(model: bytes) -> Call:
    return open_call(model, threads())
