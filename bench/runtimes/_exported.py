"""Runs exported files as classifiers, for the runtimes that have one; the same code opens them in ``recognize``."""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.deploy.load import open_exported
from bench.runtimes._base import Subject, threads
from datamodules._image import with_channels

Resize = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]


class FileClassifier:
    """The recogniser in an exported file, opened for one character at a time.

    ``open_resize`` opens an ONNX graph that resizes in the same runtime, for ``preprocess`` alone.
    """

    def __init__(self, path: Path, open_resize: Callable[[bytes], Resize]) -> None:
        self._recogniser, self._open_resize = open_exported(path, threads()), open_resize
        self.data_dependent_cost = self._recogniser.has_exits
        self._classify, self._channels = self._recogniser.classify, self._recogniser.channels

    @cached_property
    def _resize(self) -> Resize:
        from bench.deploy.onnx_resize import resize_graph  # imports onnx, which files need not

        return self._open_resize(resize_graph(self._channels, self._recogniser.size).SerializeToString())

    def preprocess(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The file's resize alone: uint8 (h, w) or (h, w, 3) -> uint8 (1, C, S, S)."""
        return self._resize(with_channels(image, self._channels)[None])

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities, float32 (classes,), of one native-size character."""
        answer: NDArray[np.float32] = self._classify(with_channels(image, self._channels)[None])[0]
        return answer


def exported(subject: Subject, runtime: str, form: str, content: Callable[[bytes, dict[str, str]], bytes]) -> bytes:
    """The content of an exported file, from its graph and its metadata by ``content``.

    The ``int8`` form is calibrated on the subject's characters, and has the same graph in all runtimes. The ``w8`` form
    is the graph in fp32 whose weights are stored in int8.
    """
    # These load torch, which opening a file does without.
    from bench.deploy.exported_file import file_metadata, fp32_graph, int8_graph, w8_graph
    from tasks.normalised import Normalised

    recogniser, characters = subject.load(), subject.characters
    # A trace in channels_last keeps the strides of pooled maps, by a Gather that OpenVINO misreads in int8.
    assert isinstance(recogniser.network, Normalised)
    recogniser.network.use_layout("contiguous")
    if form == "int8":
        images = [characters.image(index) for index in range(len(characters))]
        graph = int8_graph(recogniser, images, subject.in_fp32)
    elif form == "w8":
        graph = w8_graph(recogniser)
    else:
        graph = fp32_graph(recogniser)
    name = f"{runtime}-{form}" if form else runtime
    labels = subject.labels if len(subject.labels) == subject.classes else tuple(map(str, range(subject.classes)))
    about = file_metadata(
        subject.system or subject.architecture, subject.weights, labels, subject.record, name, recogniser, graph.in_fp32
    )
    return content(graph.model, about)
