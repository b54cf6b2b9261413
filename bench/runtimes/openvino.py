"""OpenVINO on the CPU (an optional dependency), in fp32 or int8; the resize is part of the exported graph."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.deploy.cascade_session import Call
from bench.deploy.openvino_core import core
from bench.runtimes._base import Loader, Subject, threads
from bench.runtimes._exported import exported
from datamodules._image import with_channels

FORMS = ("int8",)
ALL_THREADS = True


class OpenVinoRecogniser:
    """A recogniser in OpenVINO: takes its ONNX graph, the graph of its resize alone, and its channels."""

    def __init__(self, model: bytes, resize: bytes, channels: int) -> None:
        self._request, self._resize = open_request(model), open_request(resize)
        self._channels = channels

    def preprocess(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The graph's resize alone, in a separate request: uint8 (h, w) or (h, w, 3) -> uint8 (1, C, S, S)."""
        images: NDArray[np.uint8] = self._resize.infer([with_channels(image, self._channels)])[0].copy()
        return images

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities, float32 (classes,), of one native-size character."""
        probabilities: NDArray[np.float32] = self._request.infer([with_channels(image, self._channels)])[0][0].copy()
        return probabilities


def prepare(subject: Subject, form: str) -> Loader:
    """Export the recogniser, one graph per stage if it has early exits; each classifier compiles the graphs again.

    Raises:
        ModuleNotFoundError: OpenVINO is not installed; the message names the extra to install.
    """
    core()  # fails before the export, which takes long
    return exported(subject, form, OpenVinoRecogniser, open_call)


def open_request(model: bytes) -> Any:
    """Open an ONNX graph as an inference request with ``bench.runtimes._base.threads()`` threads.

    Raises:
        ModuleNotFoundError: OpenVINO is not installed; the message names the extra to install.
    """
    # f32: by default OpenVINO computes in bf16 if the CPU supports it, which changes the answers.
    settings = {"INFERENCE_NUM_THREADS": threads(), "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    return core().compile_model(core().read_model(model), "CPU", settings).create_infer_request()


def open_call(model: bytes) -> Call:
    """Open an ONNX graph as a function of its inputs, in order; the next call overwrites the returned outputs."""
    request = open_request(model)

    def call(*inputs: NDArray[Any]) -> list[NDArray[Any]]:
        found = request.infer(list(inputs))
        return [found[number] for number in range(len(found))]

    return call
