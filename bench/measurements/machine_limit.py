"""Roofline limit: the least time in which one core of this machine can classify one character."""

from functools import cache
from typing import Any

from bench.latency.isolated_process import run_apart
from bench.measurements import macs
from bench.measurements._row import Row
from bench.records.record import Measurement

NAME = "machine_limit"
UNIT = "ns"
VERSION = "1"
BETTER = "lower"
PHASE = "timing"
COLUMNS = (("times_limit", "× machine's limit", "ratio", None, None),)


def measure(row: Row) -> Measurement:
    """Roofline limit of one core: the time for the network's multiply-adds at the rate of a large matrix product, or
    for reading its weights once, whichever is longer; both rates are measured once per run.

    Latency divided by this limit shows how much of the machine a runtime leaves unused. The value is for fp32, ``int8``
    for networks that compute entirely in 8-bit integers; ``by`` and ``int8_by`` name the longer of the two.

    Raises:
        MeasurementError: the measuring process failed; its error as text.
        ValueError: the multiply-adds could not be counted in full.

    Source: Williams, Waterman, Patterson: Roofline, CACM 52(4), 2009.
    """
    counted = macs.measure(row)
    if counted.value is None:
        raise ValueError(f"multiply-adds not known: {', '.join(counted.detail['incomplete'])}")
    weights = sum(tensor.numel() for tensor in row.recogniser.network.state_dict().values())
    rates = peaks()
    fp32, by = least_ns(counted.value, 4 * weights, rates["fp32_macs_per_s"], rates["bytes_per_s"])
    int8, int8_by = least_ns(counted.value, weights, rates["int8_macs_per_s"], rates["bytes_per_s"])
    return Measurement(fp32, {"by": by, "int8": int8, "int8_by": int8_by, **rates})


def least_ns(macs: float, weight_bytes: int, macs_per_s: float, bytes_per_s: list[list[float]]) -> tuple[float, str]:
    """The longer time in nanoseconds, and its cause: ``multiply-adds`` or ``weights``.

    ``bytes_per_s`` has (size, rate) pairs, smallest size first. The rate of the first size that holds the weights
    applies; for larger weights, the last rate.
    """
    rate = next((rate for size, rate in bytes_per_s if size >= weight_bytes), bytes_per_s[-1][1])
    computing, reading = 1e9 * macs / macs_per_s, 1e9 * weight_bytes / rate
    return (computing, "multiply-adds") if computing >= reading else (reading, "weights")


@cache
def peaks() -> dict[str, Any]:
    """The peak rates of ``bench.measurements._roofline``, measured once per program.

    Raises:
        MeasurementError: the measuring process failed; its error as text.
    """
    return run_apart(_measure_roofline)


def _measure_roofline() -> dict[str, Any]:
    from bench.measurements._roofline import measure_roofline  # only in the measuring process: it has set one thread

    return measure_roofline()
