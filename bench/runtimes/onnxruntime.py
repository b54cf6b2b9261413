"""ONNX Runtime on the CPU, plain or in int8; the resize is part of the exported graph."""

import importlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.deploy.cascade_session import Call
from bench.runtimes._base import Loader, Subject, threads
from bench.runtimes._exported import exported
from datamodules._image import with_channels

FORMS = ("int8",)


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
        self._session, self._fitting = open_session(model), open_session(fitting)
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
    """Export the recogniser, with early exits leg by leg; each classifier loads the graphs anew."""
    return exported(subject, form, OnnxRecogniser, open_call)


def open_session(model: bytes) -> Any:
    """An ONNX graph as an inference session with ``bench.runtimes.threads()`` threads, one unless told otherwise.

    Raises:
        ModuleNotFoundError: ONNX Runtime is not installed; says what to install.
    """
    try:
        # This file has the package's name; an absolute import of the package is what is meant.
        runtime = importlib.import_module("onnxruntime")
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("onnxruntime is not installed: pip install onnxruntime") from error
    options = runtime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads(), 1
    return runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def open_call(model: bytes) -> Call:
    """An ONNX graph as a call: its inputs in order -> its outputs in order."""
    session = open_session(model)
    names = [given.name for given in session.get_inputs()]

    def call(*inputs: NDArray[Any]) -> list[NDArray[Any]]:
        found: list[NDArray[Any]] = session.run(None, dict(zip(names, inputs, strict=True)))
        return found

    return call
