"""Roofline: peak multiply-adds and peak bytes read per second of one core, measured in a measuring process."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx.parser
import torch

# Sides of square matrices; the faster one counts, because caches differ. Such products take 1 to 10 ms.
_SIDES = (384, 768)
# Bytes of weights: they fit a cache near the core, the last-level cache, and no cache, on processors of today.
_READ = (2**19, 2**24, 2**27)
_REPEATS = 30  # the fastest one counts, because noise only makes calls slower
_BUDGET_NS = 150_000_000  # for the repeats of one kind and size
_COLUMNS = 1024  # of the matrix that is read
_INT8 = """
<ir_version: 10, opset_import: ["" : 20]>
product (uint8[n, n] a) => (int32[n, n] c) <int8[{side}, {side}] b = {{{values}}}> {{ c = MatMulInteger (a, b) }}
"""


def measure_roofline() -> dict[str, Any]:
    """Multiply-adds per second in fp32 and int8, and bytes per second for weights of each size in ``_READ``.

    fp32 uses torch's matrix product, int8 that of ONNX Runtime, and reading torch's product of matrix and vector.
    """
    torch.set_num_threads(1)
    return {
        "fp32_macs_per_s": max(side**3 / _fastest(_product(side)) for side in _SIDES),
        "int8_macs_per_s": max(side**3 / _fastest(_int8_product(side)) for side in _SIDES),
        "bytes_per_s": [[size, size / _fastest(_reading(size))] for size in _READ],
    }


def _fastest(call: Callable[[], Any]) -> float:
    """CPU seconds of the fastest of several calls."""
    call()
    found: list[int] = []
    end = time.monotonic_ns() + _BUDGET_NS
    while len(found) < 3 or (len(found) < _REPEATS and time.monotonic_ns() < end):
        start = time.process_time_ns()
        call()
        found.append(time.process_time_ns() - start)
    return min(found) / 1e9


def _product(side: int) -> Callable[[], Any]:
    a, b, c = (torch.rand(side, side) for _ in range(3))
    return lambda: torch.mm(a, b, out=c)


def _reading(size: int) -> Callable[[], Any]:
    weights = torch.rand(size // 4 // _COLUMNS, _COLUMNS)  # 4 bytes each
    vector, out = torch.rand(_COLUMNS), torch.empty(weights.shape[0])
    return lambda: torch.mv(weights, vector, out=out)


def _int8_product(side: int) -> Callable[[], Any]:
    from bench.deploy.onnx_session import open_session

    rng = np.random.default_rng(0)
    model = onnx.parser.parse_model(_INT8.format(side=1, values="0"))
    weights = rng.integers(-127, 128, (side, side), dtype=np.int8)
    model.graph.initializer[0].CopyFrom(onnx.numpy_helper.from_array(weights, "b"))
    session = open_session(model.SerializeToString())
    a = rng.integers(0, 256, (side, side), dtype=np.uint8)
    return lambda: session.run(None, {"a": a})
