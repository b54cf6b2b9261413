"""OpenVINO on the CPU, one thread; resized outside the graph by the suite's own routine. An extra."""

import importlib

import numpy as np
from numpy.typing import NDArray

from bench.export import onnx_model
from bench.runtimes import Subject
from tasks.recogniser import Recogniser, load_recogniser


class OpenVinoRecogniser:
    """A recogniser whose network OpenVINO runs.

    Args:
        recogniser: gives the preprocessing and the network to export.

    Raises:
        ModuleNotFoundError: OpenVINO is not installed; names the extra.
    """

    def __init__(self, recogniser: Recogniser) -> None:
        try:
            # This file has the package's name; an absolute import of the package is what is meant.
            openvino = importlib.import_module("openvino")
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError("openvino is not installed: pip install 'hccr-bench[openvino]'") from error
        core = openvino.Core()
        # f32: by default OpenVINO computes in bf16 where the CPU can, which is another network.
        settings = {"INFERENCE_NUM_THREADS": 1, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
        model = core.read_model(onnx_model(recogniser))
        self._request = core.compile_model(model, "CPU", settings).create_infer_request()
        self._recogniser = recogniser

    def preprocess(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A native-size character, uint8 (h, w) or (h, w, 3), as uint8 (1, C, S, S)."""
        planes: NDArray[np.uint8] = self._recogniser.preprocess(image).numpy()
        return planes

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities, float32 (classes,), of one native-size character."""
        found: NDArray[np.float32] = self._request.infer([self.preprocess(image)])[0][0].copy()
        return found


def prepare(subject: Subject, form: str) -> OpenVinoRecogniser:
    """Export the network and compile the graph."""
    return OpenVinoRecogniser(load_recogniser(subject.architecture, subject.classes, subject.weights))
