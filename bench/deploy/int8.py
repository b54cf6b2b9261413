"""Quantises a recogniser's ONNX graph to static int8; ONNX Runtime and OpenVINO run the same file."""

import logging
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
import onnx.helper
from numpy.typing import NDArray

from bench.deploy.onnx_resize import RESIZE
from bench.deploy.onnx_session import open_session

Feed = dict[str, NDArray[Any]]  # a graph's inputs by their names

# Layers with weights and the operators between them, because an operator in fp32 between them needs two conversions.
# Measured on fire:gwap with 3,755 classes: quantising every operator that the quantiser supports is no faster.
_OPERATORS = ("Conv", "Gemm", "MatMul", "Relu", "Clip", "MaxPool", "AveragePool", "GlobalAveragePool", "Concat", "Add")
# The measurements below were made with weights of 8 bits; those of 7 bits have none of their own yet.
#
# Number of characters that set the ranges. 64 and 256 gave accuracies within 0.1 point of each other on hwdb100.
CALIBRATED_ON = 128
# How many of the first convolutions stay in fp32: tried in this order, until the answers are close enough. Layers with
# few channels lose most accuracy in int8 and gain least speed: mobilenet_v2 on hwdb100 had a divergence of 0.016 and
# took 0.62 ms with none in fp32, and 0.0016 and 0.58 ms with four.
_KEPT = (0, 1, 2, 4, 8)
# Largest divergence, relative to the entropy of the answers, because unsure answers change more easily. The 0.016 of
# mobilenet_v2 above lost 0.6 points of accuracy; 0.0005 of fire:gwap with 3,755 classes lost none on 1,500 characters.
NEAR = 1e-3


class Int8Graph(NamedTuple):
    """A graph in int8, and how many of its first convolutions stay in fp32."""

    model: bytes
    in_fp32: int


def quantised(model: bytes, characters: Sequence[NDArray[np.uint8]], in_fp32: int | None = None) -> Int8Graph:
    """The same graph with its network in static int8, as pairs of QuantizeLinear and DequantizeLinear.

    Weights are signed, with a scale for each output channel, and of 7 bits, so that x86 processors without VNNI
    instructions add their products exactly. Activations are unsigned, as those instructions need, with their range on
    the characters. Resize, normalisation and softmax stay in fp32, and so do as many of the first convolutions as are
    necessary for the answers to be close to fp32. The result is deterministic.

    Args:
        model: from ``bench.deploy.onnx_model.onnx_model``.
        characters: native-size validation characters, uint8 (h, w) or (h, w, 3) as the graph takes them; CALIBRATED_ON
            of them, evenly spread, are used.
        in_fp32: how many convolutions stay in fp32; None to try.

    Raises:
        ValueError: no characters.
    """
    return _quantised(model, [{"image": character[None]} for character in _spread(characters)], in_fp32)


def quantised_stages(
    stages: Sequence[bytes], characters: Sequence[NDArray[np.uint8]], in_fp32: Sequence[int] = ()
) -> list[Int8Graph]:
    """The stages of a cascade in int8, as in ``quantised``; every stage is calibrated on all characters.

    Raises:
        ValueError: no characters.
    """
    found, inputs = [], [(character[None],) for character in _spread(characters)]
    for model, keep in zip_longest(stages, in_fp32):
        session = open_session(model)
        names = [value.name for value in session.get_inputs()]
        feeds = [dict(zip(names, values, strict=False)) for values in inputs]  # not all take the probabilities
        found.append(_quantised(model, feeds, keep))
        inputs = [tuple(session.run(None, feed)) for feed in feeds]
    return found


def _quantised(model: bytes, feeds: Sequence[Feed], in_fp32: int | None) -> Int8Graph:
    """The int8 graph with the fewest convolutions in fp32 whose divergence is at most NEAR; else the closest one."""
    if in_fp32 is not None:
        return Int8Graph(_static(model, feeds, in_fp32), in_fp32)
    wanted, tried = _answers(model, feeds), []
    for kept in _KEPT:
        candidate = _static(model, feeds, kept)
        tried.append((_divergence(wanted, _answers(candidate, feeds)), Int8Graph(candidate, kept)))
        if tried[-1][0] <= NEAR:
            break
    return min(tried, key=lambda one: one[0])[1]


def _static(model: bytes, feeds: Sequence[Feed], kept: int) -> bytes:
    """Quantise statically, except the first ``kept`` convolutions."""
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static

    graph = _named(onnx.load_from_string(model))
    nodes = graph.graph.node
    resize = [node.name for node in nodes if any(name.startswith(RESIZE) for name in (*node.input, *node.output))]
    convolutions = [node.name for node in nodes if node.op_type == "Conv" and node.name not in resize]
    with tempfile.TemporaryDirectory() as folder, _quiet():
        path = Path(folder) / "int8.onnx"
        quantize_static(
            graph, path, _Reader(feeds), op_types_to_quantize=list(_OPERATORS), per_channel=True,
            nodes_to_exclude=[*resize, *convolutions[:kept]],
            quant_format=QuantFormat.QDQ,  # OpenVINO refuses QOperator files
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, reduce_range=True,
            calibrate_method=CalibrationMethod.MinMax,  # measured on fire:gwap: agrees with fp32 in 99.6 % of hwdb100
        )  # fmt: skip
        return path.read_bytes()


def _answers(model: bytes, feeds: Sequence[Feed]) -> NDArray[np.float64]:
    """A graph's probabilities, (feeds, classes)."""
    session = open_session(model)
    return np.concatenate([session.run(["probabilities"], feed)[0] for feed in feeds]).astype(np.float64)


def _divergence(wanted: NDArray[np.float64], found: NDArray[np.float64]) -> float:
    """Kullback-Leibler divergence over entropy; on about a hundred characters it varies less than a count of errors."""
    least = 1e-9  # smallest probability, because int8 may round to 0
    divergence = (wanted * np.log((wanted + least) / (found + least))).sum()
    return float(divergence / max(least, -(wanted * np.log(wanted + least)).sum()))


class _Reader:
    """Calibration data as the quantiser reads them: inputs by name, and None after the last."""

    def __init__(self, feeds: Iterable[Feed]) -> None:
        self._feeds = iter(feeds)

    def get_next(self) -> Feed | None:
        return next(self._feeds, None)


def _spread(characters: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.uint8]]:
    if not characters:
        raise ValueError("wanted characters to calibrate int8 on, got none")
    picks = np.linspace(0, len(characters) - 1, min(CALIBRATED_ON, len(characters))).astype(int)
    return [characters[int(pick)] for pick in picks]


def _named(model: onnx.ModelProto) -> onnx.ModelProto:
    """Name all nodes, so that some can be excluded, and list each operator set once, as the quantiser requires."""
    versions = {imported.domain: imported.version for imported in model.opset_import}
    del model.opset_import[:]
    model.opset_import.extend(onnx.helper.make_opsetid(domain, version) for domain, version in versions.items())
    for number, node in enumerate(model.graph.node):
        node.name = f"{number}/{node.op_type}"
    return model


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the quantiser's advice to preprocess the model, because the export has done it."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
