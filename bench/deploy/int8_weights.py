"""Stores the weights of an ONNX graph as int8 with a scale for each output channel; the graph computes in fp32."""

from itertools import chain

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

LEAST = 1_024  # smaller weights stay in fp32: their scales and nodes take as much as they save
_AXES = {"Conv": 0, "Gemm": 0}  # of the output channels; Gemm's with transposed weights, as torch exports linear layers


def with_int8_weights(model: bytes) -> bytes:
    """The same graph, about a quarter as large, with the weights of convolutions and linear layers in int8.

    Each output channel has one scale, the largest magnitude of its weights over 127. Runtimes expand the weights when
    they open the file, so it answers alike on every CPU, as fast as in fp32.
    """
    loaded = onnx.load_from_string(model)
    graph = loaded.graph
    stored = {tensor.name: tensor for tensor in graph.initializer}
    expanded: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.node:
        axis = _axis(node)
        name = node.input[1] if axis is not None else ""
        if name not in stored or np.prod(stored[name].dims) < LEAST:
            continue
        if name not in expanded:
            integers, scales = quantised_weights(numpy_helper.to_array(stored[name]), axis or 0)
            graph.initializer.remove(stored[name])
            graph.initializer.extend(
                [numpy_helper.from_array(integers, f"{name}/int8"), numpy_helper.from_array(scales, f"{name}/scale")]
            )
            # Cast and Mul of constants, which runtimes compute when they open the file; DequantizeLinear they keep.
            expanded[name] = [
                onnx.helper.make_node("Cast", [f"{name}/int8"], [f"{name}/cast"], to=onnx.TensorProto.FLOAT),
                onnx.helper.make_node("Mul", [f"{name}/cast", f"{name}/scale"], [f"{name}/fp32"]),
            ]
        node.input[1] = f"{name}/fp32"
    nodes = [*chain.from_iterable(expanded.values()), *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    return bytes(loaded.SerializeToString(deterministic=True))


def quantised_weights(weights: NDArray[np.float32], axis: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Weights as int8, and a scale for each index of ``axis`` that broadcasts: their product is near the weights."""
    others = tuple(one for one in range(weights.ndim) if one != axis)
    largest = np.abs(weights).max(others, keepdims=True)
    scales = np.where(largest > 0, largest / 127, 1).astype(np.float32)
    return np.round(weights / scales).astype(np.int8), scales


def _axis(node: onnx.NodeProto) -> int | None:
    """The axis of a layer's output channels; None for other nodes, and for weights laid out otherwise."""
    if node.op_type == "Gemm" and not any(one.name == "transB" and one.i for one in node.attribute):
        return 1
    return _AXES.get(node.op_type)
