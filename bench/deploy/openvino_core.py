"""The OpenVINO core, one per process; OpenVINO is an optional dependency."""

from functools import cache
from typing import Any


def core() -> Any:
    """The ``openvino.Core`` of this process; it exists until the process ends.

    Raises:
        ModuleNotFoundError: OpenVINO is not installed; the message names the extra to install.
    """
    try:
        import openvino
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("openvino is not installed: pip install 'hccr-bench[openvino]'") from error
    return _core(openvino.Core)


def settings(threads: int, streams: int = 1) -> dict[str, Any]:
    """Settings of a compiled model: ``threads`` to compute with, ``streams`` for as many calls at the same time."""
    hint = (
        {"PERFORMANCE_HINT": "LATENCY"} if streams == 1 else {"PERFORMANCE_HINT": "THROUGHPUT", "NUM_STREAMS": streams}
    )
    # f32: by default OpenVINO computes in bf16 if the CPU supports it, which changes the answers.
    return {**hint, "INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"}


@cache
def _core(make: Any) -> Any:
    # A core installs a signal stack on the thread that first compiles with it, and unmaps that stack when the core is
    # deleted. If another thread deletes it, as the garbage collector may do, or a newer core exists, the next signal
    # kills the process silently (OpenVINO 2026.4). A core that is never deleted avoids this.
    return make()
