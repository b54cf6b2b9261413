"""A recogniser's ONNX graph in 8-bit integers: one file that ONNX Runtime and OpenVINO both run."""

import logging
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.helper
from numpy.typing import NDArray

from bench.deploy.cascade_session import ExportedStage
from bench.deploy.onnx_session import open_session

Feed = dict[str, NDArray[Any]]  # a graph's inputs by their names

# Layers with weights, and what lies between them: a tensor that an operator in fp32 needs is converted twice.
# Measured on fire:gwap at 3,755 classes: with every operator that the quantiser knows it is no faster.
_OPERATORS = ("Conv", "Gemm", "MatMul", "Relu", "Clip", "MaxPool", "AveragePool", "GlobalAveragePool", "Concat", "Add")
_RESIZE = "fit/"  # prefix of the values that the resize makes; it stays in fp32
# Characters that set the ranges. 64 and 256 gave accuracies within 0.1 point of each other on hwdb100.
CALIBRATED_ON = 128
# How many of the first convolutions stay in fp32 is tried in this order, until the answers are near. Layers of few
# channels lose most by int8 and gain least: of mobilenet_v2 on hwdb100 the divergence was 0.016 with none, 0.0016 with
# four in fp32, and it took 0.62 and 0.58 ms.
_KEPT = (0, 1, 2, 4, 8)
# Divergence as a share of the answers' entropy: a network that is unsure of everything is changed more by less. There
# 0.016 lost 0.6 points of accuracy; 0.0005 of fire:gwap with 3,755 characters none that 1,500 characters show.
NEAR = 1e-3


def quantised(model: bytes, characters: Sequence[NDArray[np.uint8]]) -> bytes:
    """The same graph with its network in static int8, as pairs of QuantizeLinear and DequantizeLinear.

    Weights are signed, with a scale for each output channel; activations unsigned, which is what VNNI multiplies, with
    the range that they have on the characters. Resize, normalisation and softmax stay in fp32, and so do as many of the
    first convolutions as it takes to answer like the graph itself on these characters. The same model and characters
    give the same bytes.

    Args:
        model: of ``bench.deploy.onnx_model.onnx_model``.
        characters: native-size ones of the validation part, uint8 (h, w) or (h, w, 3) as the graph takes them;
            CALIBRATED_ON of them, evenly spread, are used.

    Raises:
        ValueError: no characters.
    """
    if not characters:
        raise ValueError("wanted characters to calibrate int8 on, got none")
    return _quantised(model, [{"image": character} for character in _spread(characters)])


def quantised_stages(
    stages: Sequence[ExportedStage], characters: Sequence[NDArray[np.uint8]]
) -> tuple[ExportedStage, ...]:
    """The stages of a cascade, each in int8 as of ``quantised``; all of them have ranges of all characters.

    Raises:
        ValueError: no characters.
    """
    if not characters:
        raise ValueError("wanted characters to calibrate int8 on, got none")
    found, given = [], [(character,) for character in _spread(characters)]
    for stage in stages:
        session = open_session(stage.model)
        names = [value.name for value in session.get_inputs()]
        feeds = [dict(zip(names, values, strict=False)) for values in given]  # not all take the probabilities
        found.append(replace(stage, model=_quantised(stage.model, feeds)))
        given = [tuple(session.run(None, feed)) for feed in feeds]
    return tuple(found)


def _quantised(model: bytes, feeds: Sequence[Feed]) -> bytes:
    """The form with the fewest first convolutions in fp32 that answers near the graph; else the one that is nearest."""
    wanted, tried = _answers(model, feeds), []
    for kept in _KEPT:
        made = _static(model, feeds, kept)
        tried.append((_divergence(wanted, _answers(made, feeds)), made))
        if tried[-1][0] <= NEAR:
            break
    return min(tried, key=lambda one: one[0])[1]


def _static(model: bytes, feeds: Sequence[Feed], kept: int) -> bytes:
    """One form, with so many of the first convolutions in fp32."""
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static

    graph = _named(onnx.load_from_string(model))
    fitting = [node.name for node in graph.graph.node if _is_resize(node)]
    convolutions = [node.name for node in graph.graph.node if node.op_type == "Conv" and node.name not in fitting]
    with tempfile.TemporaryDirectory() as folder, _quiet():
        path = Path(folder) / "int8.onnx"
        quantize_static(
            graph,
            path,
            _Reader(feeds),
            quant_format=QuantFormat.QDQ,  # OpenVINO refuses QOperator files
            op_types_to_quantize=list(_OPERATORS),
            nodes_to_exclude=[*fitting, *convolutions[:kept]],
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,  # measured on fire:gwap: agrees with fp32 in 99.6 % of hwdb100
        )
        return path.read_bytes()


def _answers(model: bytes, feeds: Sequence[Feed]) -> NDArray[np.float64]:
    """A graph's probabilities, (feeds, classes)."""
    session = open_session(model)
    found = np.concatenate([session.run(["probabilities"], feed)[0] for feed in feeds])
    return found.astype(np.float64)


def _divergence(wanted: NDArray[np.float64], found: NDArray[np.float64]) -> float:
    """Kullback-Leibler divergence over entropy: on some hundred characters it repeats, which a count does not."""
    least = 1e-9  # of a probability: int8 may round one to 0
    moved = (wanted * np.log((wanted + least) / (found + least))).sum()
    return float(moved / max(least, -(wanted * np.log(wanted + least)).sum()))


class _Reader:
    """What the quantiser asks for one character's inputs after the other."""

    def __init__(self, feeds: Iterable[Feed]) -> None:
        self._left = iter(feeds)

    def get_next(self) -> Feed | None:
        """The next inputs by their names; None after the last."""
        return next(self._left, None)


def _spread(characters: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.uint8]]:
    picks = np.linspace(0, len(characters) - 1, min(CALIBRATED_ON, len(characters))).astype(int)
    return [characters[int(pick)] for pick in picks]


def _named(model: onnx.ModelProto) -> onnx.ModelProto:
    """Names for all nodes, by which some are left out, and each set of operators named once, as the quantiser wants."""
    versions = {imported.domain: imported.version for imported in model.opset_import}
    del model.opset_import[:]
    model.opset_import.extend(onnx.helper.make_opsetid(domain, version) for domain, version in versions.items())
    for number, node in enumerate(model.graph.node):
        node.name = f"{number}/{node.op_type}"
    return model


def _is_resize(node: Any) -> bool:
    return any(value.startswith(_RESIZE) for value in (*node.input, *node.output))


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the quantiser's advice to prepare a model as it has been prepared by its export."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
