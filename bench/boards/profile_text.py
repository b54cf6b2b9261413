"""Text output of ``bench profile``: the board's figures and further details of one record."""

from collections.abc import Iterator, Mapping
from typing import Any

from bench.boards.markdown import error_text
from bench.boards.summary import summary
from bench.records import formatting
from bench.records.rows import Figure, times_limit


def lines(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Name and text of each figure of one record."""
    columns, rows = summary([record])
    texts = [*zip(columns, rows[0], strict=True)]
    measurements = record["measurements"]
    for name, title in (("peak_activation_bytes", "Peak activations"), ("process_bytes", "Memory of a process")):
        if name in measurements:
            texts.append((title, formatting.of_unit(Figure(measurements[name].get("value")), "byte")))
    for name, measured in measurements.items():
        if name.partition("@")[0] == "latency":
            texts += [(f"{name}, {what}", text) for what, text in _latency_texts(name, measured, measurements)]
        if measured.get("error"):
            texts.append((f"{name} failed", error_text(measured["error"])))
    return texts


def _latency_texts(
    name: str, measured: Mapping[str, Any], measurements: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    ratio = measured.get("ratio_to_reference")
    if "@" in name and ratio is not None:  # eager's ratio has a column of the board
        low, high = measured.get("ratio_ci") or (None, None)
        yield "× reference", formatting.ratio(Figure(ratio, low, high, noisy=bool(measured.get("noisy"))))
    if measured.get("launches"):
        yield "× reference in each process", ", ".join(map(formatting.digits, measured["launches"]))
    if measured.get("q25") is not None:
        value, low, high, p90, bound = map(measured.get, ("value", "q25", "q75", "p90", "p90_bound"))
        yield "ms (quartiles, p90 ≤ its bound)", formatting.milliseconds(Figure(value, low, high, p90, bound))
    if measured.get("all_threads_ns") is not None:
        figure = Figure(measured["all_threads_ns"], noisy=bool(measured.get("all_threads_noisy")))
        yield f"ms on {measured['all_threads']} threads", formatting.noisy_millions(figure)
    elif measured.get("all_threads_why"):
        yield f"ms on {measured['all_threads']} threads", f"no value: {measured['all_threads_why']}"
    times = times_limit(name, measurements)
    if times is not None:
        limit = measurements["machine_limit"]
        by, rate = ("int8_by", "int8_macs_per_s") if name.endswith("-int8") else ("by", "fp32_macs_per_s")
        peak = f"{formatting.digits(limit[rate] / 1e9)} G multiply-adds/s"
        yield "× limit", f"{formatting.digits(times)} (bound by {limit[by]}; one core: {peak})"
    if measured.get("agreement") is not None:
        share, largest = formatting.percent(measured["agreement"]), formatting.digits(measured["largest_difference"], 2)
        yield "agreement with eager", f"{share} % of {measured['compared']} characters, largest difference {largest}"
