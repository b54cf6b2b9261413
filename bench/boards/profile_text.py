"""What ``bench profile`` prints of a record: the board's figures, and what a single row has room for beside them."""

from collections.abc import Mapping
from typing import Any

from bench.boards.markdown import error_text
from bench.boards.summary import summary
from bench.records import formatting
from bench.records.rows import Figure, times_limit


def lines(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Name and text of each figure of one record."""
    columns, rows = summary([record])
    found = [*zip(columns, rows[0], strict=True)]
    measurements = record["measurements"]
    for name, text in (("peak_activation_bytes", "Peak activations"), ("process_bytes", "Memory of a process")):
        if name in measurements:
            found.append((text, formatting.of_unit(_figure(measurements[name]), "byte")))
    for name, measured in measurements.items():
        if name.partition("@")[0] == "latency":
            found += _deployed(name, measured, measurements)
        if measured.get("error"):
            found.append((f"{name} failed", error_text(measured["error"])))
    return found


def _deployed(name: str, measured: Mapping[str, Any], measurements: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = []
    ratio = measured.get("ratio_to_reference")
    if "@" in name and ratio is not None:  # eager's has a column of its own
        low, high = measured.get("ratio_ci") or (None, None)
        text = formatting.ratio(Figure(ratio, low, high, noisy=bool(measured.get("noisy"))))
        found.append((f"{name}, × reference", text))
    if measured.get("launches"):
        ratios = ", ".join(formatting.digits(one) for one in measured["launches"])
        found.append((f"{name}, × reference in each process", ratios))
    if measured.get("q25") is not None:
        value, low, high, p90, bound = map(measured.get, ("value", "q25", "q75", "p90", "p90_bound"))
        text = formatting.milliseconds(Figure(value, low, high, p90, bound))
        found.append((f"{name}, ms (quartiles, p90 ≤ its bound)", text))
    if measured.get("all_threads_ns") is not None:
        count, time = measured["all_threads"], formatting.digits(measured["all_threads_ns"] / formatting.MILLION)
        found.append((f"{name}, ms on {count} threads", time))
    times = times_limit(name, measurements)
    if times is not None:
        limit = measurements["machine_limit"]
        by, rate = ("int8_by", "int8_macs_per_s") if name.endswith("-int8") else ("by", "fp32_macs_per_s")
        peak = f"{formatting.digits(limit[rate] / 1e9)} G multiply-adds/s"
        found.append((f"{name}, × limit", f"{formatting.digits(times)} (bound by {limit[by]}; one core: {peak})"))
    if measured.get("agreement") is not None:
        share, largest = formatting.percent(measured["agreement"]), formatting.digits(measured["largest_difference"], 2)
        text = f"{share} % of {measured['compared']} characters, largest difference {largest}"
        found.append((f"{name}, as eager", text))
    return found


def _figure(measured: Mapping[str, Any]) -> Figure:
    return Figure(measured.get("value"))
