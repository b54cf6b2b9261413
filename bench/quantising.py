"""A recogniser's ONNX graph in 8-bit integers: one file that ONNX Runtime and OpenVINO both run."""

import logging
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.helper
from numpy.typing import NDArray

# Layers with weights, and what lies between them: a tensor that an operator in fp32 needs is converted twice.
# Measured on fire:gwap at 3,755 classes: nothing else is worth 1 % of the time.
_OPERATORS = ("Conv", "Gemm", "MatMul", "Relu", "Clip", "MaxPool", "AveragePool", "GlobalAveragePool", "Concat", "Add")
_FITTING = "fit/"  # prefix of the values that the resize makes; it stays in fp32
# Characters that set the ranges. 64 and 256 gave accuracies within 0.1 point of each other on hwdb100.
CALIBRATED_ON = 128


def quantised(model: bytes, characters: Sequence[NDArray[np.uint8]]) -> bytes:
    """The same graph with its network in static int8, as pairs of QuantizeLinear and DequantizeLinear.

    Weights are signed, with a scale for each output channel; activations unsigned, which is what VNNI multiplies, with
    the range that they have on the characters. Resize, normalisation and softmax stay in fp32. The same model and
    characters give the same bytes.

    Args:
        model: of ``bench.export.onnx_model``.
        characters: native-size ones of the validation part, uint8 (h, w) or (h, w, 3) as the graph takes them;
            CALIBRATED_ON of them, evenly spread, are used.

    Raises:
        ValueError: no characters.
    """
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static

    if not characters:
        raise ValueError("wanted characters to calibrate int8 on, got none")
    graph = _named(onnx.load_from_string(model))
    fitting = [node.name for node in graph.graph.node if _is_fitting(node)]
    with tempfile.TemporaryDirectory() as folder, _quiet():
        path = Path(folder) / "int8.onnx"
        quantize_static(
            graph,
            path,
            _Reader(_spread(characters)),
            quant_format=QuantFormat.QDQ,  # OpenVINO refuses QOperator files
            op_types_to_quantize=list(_OPERATORS),
            nodes_to_exclude=fitting,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            # Measured on fire:gwap: percentiles and entropy gain no accuracy, and need minutes.
            calibrate_method=CalibrationMethod.MinMax,
        )
        return path.read_bytes()


class _Reader:
    """What the quantiser asks for one character after the other."""

    def __init__(self, characters: Iterable[NDArray[np.uint8]]) -> None:
        self._left: Iterator[NDArray[np.uint8]] = iter(characters)

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        """The next character as the graph's input; None after the last."""
        image = next(self._left, None)
        return None if image is None else {"image": image}


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


def _is_fitting(node: Any) -> bool:
    return any(value.startswith(_FITTING) for value in (*node.input, *node.output))


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the quantiser's advice to prepare a model as it has been prepared by its export."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
