"""ONNX Runtime sessions on the CPU, with a fixed number of threads."""

import importlib
from typing import Any


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
