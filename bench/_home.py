"""Exported files, opened: one call from images to probabilities. Imports neither torch nor onnx."""

import io
import json
import xml.etree.ElementTree as ElementTree
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench._seal import read_sealed
from datamodules._errors import BenchError, DataError

FORMAT = "hccr-bench recogniser 1"  # of what the metadata say and how
Classify = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


class MissingRuntimeError(BenchError):
    """The runtime that a file needs is not installed; says what to install."""


@dataclass(frozen=True)
class HomeRecogniser:
    """A recogniser from a file.

    Attributes:
        classify: images of one size, uint8 (n, h, w), in colour (n, h, w, 3), paper 255 -> probabilities,
            float32 (n, classes). May be called by several threads at once.
        labels: class names in label order.
        channels: 1 or 3.
        size: side of the network's input in pixels.
        several: whether it takes several images at once; else n is 1.
        runtime: ``onnxruntime`` or ``openvino``.
        about: everything the file says of itself.
    """

    classify: Classify
    labels: tuple[str, ...]
    channels: int
    size: int
    several: bool
    runtime: str
    about: Mapping[str, str]


def open_home(path: Path, threads: int = 1, batch: bool = False) -> HomeRecogniser:
    """Open a file that ``bench export`` wrote.

    Args:
        path: it.
        threads: that will call the recogniser; each call computes in its caller's thread.
        batch: for images that are fitted to the input size already, any number at once; else one of any size.

    Raises:
        DataError: no such file, cut short, or changed since it was written.
        MissingRuntimeError: its runtime is not installed.
    """
    content = read_sealed(path)
    if content[:2] == b"PK":
        return _open_openvino(path, content, threads, batch)
    return _open_onnx(path, content, batch)


def _open_onnx(path: Path, content: bytes, batch: bool) -> HomeRecogniser:
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        raise MissingRuntimeError("onnxruntime is not installed: pip install onnxruntime") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    if not batch:
        options.add_free_dimension_override_by_name("n", 1)  # what depends on it is then computed beforehand
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # whatever ONNX Runtime raises; it has no common base
        raise _unreadable(path, "onnxruntime", error) from error
    about = session.get_modelmeta().custom_metadata_map
    several = isinstance(session.get_inputs()[0].shape[0], str)

    def classify(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        found: NDArray[np.float32] = session.run(None, {"image": images})[0]
        return found

    return _home(path, classify, about, several, "onnxruntime")


def _open_openvino(path: Path, content: bytes, threads: int, batch: bool) -> HomeRecogniser:
    try:
        import openvino
    except ModuleNotFoundError as error:
        raise MissingRuntimeError("openvino is not installed: pip install 'hccr-bench[openvino]'") from error
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        graph, weights = archive.read("recogniser.xml"), archive.read("recogniser.bin")
    about = {
        found.tag: found.get("value", "") for found in ElementTree.fromstring(graph).iterfind("rt_info/recogniser/*")
    }
    hint = {"PERFORMANCE_HINT": "THROUGHPUT", "NUM_STREAMS": threads} if batch else {"PERFORMANCE_HINT": "LATENCY"}
    # f32: by default OpenVINO computes in bf16 where the CPU can, which is another network.
    settings = {**hint, "INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"}
    try:
        core = openvino.Core()
        model = core.read_model(graph, openvino.Tensor(np.frombuffer(weights, np.uint8)))
        several = model.inputs[0].partial_shape[0].is_dynamic
        if several and not batch:
            model.reshape([1, *model.inputs[0].partial_shape[1:]])
        compiled = core.compile_model(model, "CPU", settings)
    except RuntimeError as error:
        raise _unreadable(path, "openvino", error) from error

    def classify(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        found: NDArray[np.float32] = compiled.create_infer_request().infer([images])[0]
        return found

    return _home(path, classify, about, several, "openvino")


def _home(path: Path, classify: Classify, about: Mapping[str, Any], several: bool, runtime: str) -> HomeRecogniser:
    if about.get("format") != FORMAT:
        raise DataError(path, 0, FORMAT, str(about.get("format")), "Export it again: bench export.")
    labels = tuple(json.loads(about["labels"]))
    return HomeRecogniser(classify, labels, int(about["channels"]), int(about["size"]), several, runtime, dict(about))


def _unreadable(path: Path, runtime: str, error: Exception) -> DataError:
    reason = " ".join(str(error).split())[:300]
    return DataError(path, 0, f"a graph that this {runtime} runs", reason, f"Update {runtime}, or export it again.")
