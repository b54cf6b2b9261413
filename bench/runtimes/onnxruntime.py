"""ONNX Runtime on the CPU, one thread; resized outside the graph by the suite's own routine."""

import importlib

import numpy as np
from numpy.typing import NDArray

from bench.export import onnx_model
from bench.runtimes import Subject
from tasks.recogniser import Recogniser, load_recogniser


class OnnxRecogniser:
    """A recogniser whose network ONNX Runtime runs.

    Args:
        recogniser: gives the preprocessing and the network to export.
    """

    def __init__(self, recogniser: Recogniser) -> None:
        # This file has the package's name; an absolute import of the package is what is meant.
        runtime = importlib.import_module("onnxruntime")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        model = onnx_model(recogniser)
        self._session = runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._recogniser = recogniser

    def preprocess(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A native-size character, uint8 (h, w) or (h, w, 3), as uint8 (1, C, S, S)."""
        planes: NDArray[np.uint8] = self._recogniser.preprocess(image).numpy()
        return planes

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities, float32 (classes,), of one native-size character."""
        found: NDArray[np.float32] = self._session.run(None, {"images": self.preprocess(image)})[0][0]
        return found


def prepare(subject: Subject, form: str) -> OnnxRecogniser:
    """Export the network and load the graph."""
    return OnnxRecogniser(load_recogniser(subject.architecture, subject.classes, subject.weights))
