"""ONNX Runtime sessions on the CPU, with a fixed number of threads."""

import importlib
from typing import Any

from numpy.typing import NDArray

from bench.deploy.cascade_session import Call


def open_session(model: bytes, threads: int = 1) -> Any:
    """Open a serialised ONNX graph as an ``onnxruntime.InferenceSession`` that uses ``threads`` threads per call.

    Raises:
        ModuleNotFoundError: ONNX Runtime is not installed; the message says what to install.
    """
    try:
        # By name, because a file of bench/runtimes is also called onnxruntime.
        runtime = importlib.import_module("onnxruntime")
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("onnxruntime is not installed: pip install onnxruntime") from error
    options = runtime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    return runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def open_call(model: bytes, threads: int = 1) -> Call:
    """Open an ONNX graph as a function of its inputs, in the graph's order, that returns its outputs."""
    session = open_session(model, threads)
    names = [value.name for value in session.get_inputs()]

    def call(*inputs: NDArray[Any]) -> list[NDArray[Any]]:
        outputs: list[NDArray[Any]] = session.run(None, dict(zip(names, inputs, strict=True)))
        return outputs

    return call
