"""OpenVINO's core, one for the process. An extra."""

from functools import cache
from typing import Any


def core() -> Any:
    """The ``openvino.Core`` of this process, which keeps it to its end.

    Raises:
        ModuleNotFoundError: OpenVINO is not installed; names the extra.
    """
    try:
        import openvino
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("openvino is not installed: pip install 'hccr-bench[openvino]'") from error
    return _core(openvino.Core)


@cache
def _core(make: Any) -> Any:
    # A core gives the thread that first compiles with it a stack for signals, and unmaps that stack when it goes. Where
    # it goes on another thread, by the garbage collector's choice, or after a younger core, the next signal ends the
    # process without a word (OpenVINO 2026.4). One that stays does neither.
    return make()
