"""OpenVINO on the CPU, plain or in int8; the resize is part of the exported graph. An extra."""

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
    """A recogniser that OpenVINO runs from the native-size character on.

    Args:
        model: the exported recogniser.
        fitting: its resize alone.
        channels: of its images.

    Raises:
        ModuleNotFoundError: OpenVINO is not installed; names the extra.
    """

    def __init__(self, model: bytes, fitting: bytes, channels: int) -> None:
        self._request, self._fitting = open_request(model), open_request(fitting)
        self._channels = channels

    def preprocess(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The graph's resize alone, as a request of its own: uint8 (h, w) or (h, w, 3) -> uint8 (1, C, S, S)."""
        images: NDArray[np.uint8] = self._fitting.infer([with_channels(image, self._channels)])[0].copy()
        return images

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities, float32 (classes,), of one native-size character."""
        found: NDArray[np.float32] = self._request.infer([with_channels(image, self._channels)])[0][0].copy()
        return found


def prepare(subject: Subject, form: str) -> Loader:
    """Export the recogniser, with early exits stage by stage; each classifier compiles the graphs anew.

    Raises:
        ModuleNotFoundError: OpenVINO is not installed; names the extra.
    """
    core()  # before the export, which takes long
    return exported(subject, form, OpenVinoRecogniser, open_call)


def open_request(model: bytes) -> Any:
    """An ONNX graph as an inference request with ``bench.runtimes.threads()`` threads, one unless told otherwise.

    Raises:
        ModuleNotFoundError: OpenVINO is not installed; names the extra.
    """
    # f32: by default OpenVINO computes in bf16 where the CPU can, which is another network.
    settings = {"INFERENCE_NUM_THREADS": threads(), "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    return core().compile_model(core().read_model(model), "CPU", settings).create_infer_request()


def open_call(model: bytes) -> Call:
    """An ONNX graph as a call: its inputs in order -> its outputs, which the next call overwrites."""
    request = open_request(model)

    def call(*inputs: NDArray[Any]) -> list[NDArray[Any]]:
        found = request.infer(list(inputs))
        return [found[number] for number in range(len(found))]

    return call
