"""Turns records into board rows: averages seeds, marks stale figures, computes ranks and the Pareto front."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bench.plugins import figures as figures_of
from bench.records.load import Stored
from bench.records.protocols import Protocol, base_name, protocol_name
from bench.records.repeatability import Spread, widened

SCALES = ("paper", "full", "quick", "smoke")  # the published protocol first
BASELINE = "nearest_mean"  # classifies by the nearest class mean; shows how hard a data set is
ROBUST = figures_of("robustness")  # accuracies on transformed test characters
_INTERVALS = {"ratio_to_reference": "ratio_ci", "drop": "drop_ci"}  # field of a measurement -> its interval
# Further fields of a latency -> their figures in a row; those of ``latency@x`` are ``ratio@x`` and so on.
_LATENCY_FIELDS = {"ratio_to_reference": "ratio", "all_threads_ns": "all_threads", "agreement": "agreement"}
ALL_THREADS_CALLS = 20  # fewer on all threads give no figure: one call among busy cores took a hundred times as long


@dataclass(frozen=True)
class Figure:
    """One figure of one row, in the measurement's unit.

    Attributes:
        value: mean over the seeds, geometric for ratios of latencies; None if there is none.
        low, high: confidence interval or quartiles of the measurement; mean over the seeds.
        p90, p90_bound: 90th percentile of a latency, and its upper 95 % confidence bound.
        spread: standard deviation over the seeds; None for one seed.
        n: number of seeds with a value.
        why: printed in place of a missing value: ``stale``, ``incomplete: …``, or empty.
        noisy: at least one seed was measured on a busy machine.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    p90: float | None = None
    p90_bound: float | None = None
    spread: float | None = None
    n: int = 0
    why: str = ""
    noisy: bool = False


@dataclass(frozen=True)
class BoardRow:
    """One system on one machine, averaged over its seeds.

    Attributes:
        rank: (best, worst) possible place by accuracy; None if it is not ranked.
        pareto: whether no other row is both at least as accurate and at least as fast.
    """

    system: str
    recipe: str
    machine: str
    records: tuple[Stored, ...]
    figures: Mapping[str, Figure] = field(default_factory=dict)
    rank: tuple[int, int] | None = None
    pareto: bool = False

    def __getitem__(self, name: str) -> Figure:
        return self.figures.get(name, Figure())

    @property
    def trained(self) -> bool:
        """Whether its weights were trained; rows with random weights are timed but never ranked."""
        return all(item.record.get("weights", "trained") == "trained" for item in self.records)


def sections(stored: Sequence[Stored]) -> list[list[Stored]]:
    """Groups of comparable records: of one scale and one data set fingerprint; paper scale first."""
    groups: dict[tuple[int, str, str], list[Stored]] = {}
    for item in stored:
        scale = item.record["scale"]
        order = SCALES.index(scale) if scale in SCALES else len(SCALES)
        groups.setdefault((order, scale, item.record["dataset"]["fingerprint"]), []).append(item)
    return [groups[key] for key in sorted(groups)]


def board_rows(
    stored: Sequence[Stored],
    protocols: Mapping[str, Protocol],
    between: Mapping[str, Spread] | None = None,
) -> list[BoardRow]:
    """The rows of one section, best accuracy first, unranked rows last; failed records are left out.

    Each row is ranked among those of its own machine: ratios of latencies do not carry over to another CPU. Intervals
    of ratios are widened by the spread ``between`` runs on that machine; see ``bench.records.repeatability``.
    """
    groups: dict[tuple[str, str], list[Stored]] = {}
    for item in stored:
        if item.record["status"] != "failed":
            groups.setdefault((item.record["system"], item.record["machine"]["name"]), []).append(item)
    rows = [_row(groups[key], protocols, (between or {}).get(key[1])) for key in sorted(groups)]
    return sorted((row for machine in {row.machine for row in rows} for row in _ranked(rows, machine)), key=_order)


def ranked_machine(rows: Sequence[BoardRow]) -> str | None:
    """The machine whose rows a board ranks: with the most trained rows with a latency, then with the newest record."""

    def weight(machine: str) -> tuple[int, str, str]:
        own = [row for row in rows if row.machine == machine]
        timed = sum(row.trained and row["latency"].value is not None for row in own)
        return timed, max(str(item.record.get("started_at")) for row in own for item in row.records), machine

    return max({row.machine for row in rows}, key=weight, default=None)


def dropped(figure: str) -> str:
    """Name of the accuracy lost under a condition or in a runtime: ``drop@flip`` for ``accuracy@flip``."""
    return f"drop@{figure.partition('@')[2]}"


def times_limit(name: str, measurements: Mapping[str, Any]) -> float | None:
    """A latency over the machine's limit (roofline), for int8 runtimes over that of int8; None if either is missing."""
    cpu_ns = measurements.get(name, {}).get("cpu_ns")  # CPU time excludes waiting for a busy core
    limit = measurements.get("machine_limit", {}).get("int8" if name.endswith("-int8") else "value")
    return None if cpu_ns is None or not limit else float(cpu_ns / limit)


def _ranked(rows: Sequence[BoardRow], machine: str) -> list[BoardRow]:
    """The rows of one machine, with rank and Pareto front among themselves."""
    own = [row for row in rows if row.machine == machine]
    ranks, front = _ranks(own), _pareto(own)
    return [replace(row, rank=ranks[index], pareto=index in front) for index, row in enumerate(own)]


def _row(group: Sequence[Stored], protocols: Mapping[str, Protocol], spread: Spread | None) -> BoardRow:
    records = [item.record for item in group]
    names = sorted({name for record in records for name in record["measurements"]})
    figures = {name: _figure(name, records, protocols) for name in names}
    for name in names:
        if base_name(name) == "latency":
            figures |= _latency_fields(name, records, protocols, spread)
        if base_name(name) == "accuracy" and "@" in name:
            figures[dropped(name)] = _figure(name, records, protocols, "drop")
    first, recipe = records[0], records[0].get("recipe")
    recipe_name = str(recipe.get("name") or "") if isinstance(recipe, Mapping) else ""
    return BoardRow(first["system"], recipe_name, first["machine"]["name"], tuple(group), figures)


def _latency_fields(
    latency: str, records: Sequence[Mapping[str, Any]], protocols: Mapping[str, Protocol], spread: Spread | None
) -> dict[str, Figure]:
    """Figures of a latency's further fields, and its multiple of the machine's limit."""
    condition = latency.removeprefix("latency")
    fields = {f"{name}{condition}": _figure(latency, records, protocols, key) for key, name in _LATENCY_FIELDS.items()}
    ratio = fields[f"ratio{condition}"]
    if spread is not None and ratio.value is not None and ratio.low is not None and ratio.high is not None:
        low, high = widened(ratio.value, ratio.low, ratio.high, spread.of(condition.removeprefix("@"), ratio.noisy))
        fields[f"ratio{condition}"] = replace(ratio, low=low, high=high)
    times = [times_limit(latency, record["measurements"]) for record in records]
    known = [value for value in times if value is not None]
    if _figure(latency, records, protocols).value is not None and len(known) == len(times):
        fields[f"times_limit{condition}"] = Figure(statistics.geometric_mean(known), n=len(known))
    return fields


def _figure(
    name: str, records: Sequence[Mapping[str, Any]], protocols: Mapping[str, Protocol], key: str = "value"
) -> Figure:
    """Average one field of a measurement over the seeds; only measurements of the current protocol count."""
    every = [record["measurements"][name] for record in records if name in record["measurements"]]
    protocol = protocols.get(protocol_name(name, protocols))
    current = [m for m in every if protocol is None or str(m.get("version")) == protocol.version]
    gaps = sorted({op for m in current for op in m.get("incomplete") or ()})
    if gaps:
        return Figure(why=f"incomplete: {', '.join(gaps)}")
    complete = [m for m in current if m.get(key) is not None and not _too_few_calls(m, key)]
    if not complete:
        return Figure(why="stale" if len(current) < len(every) else "")
    mean = statistics.geometric_mean if key == "ratio_to_reference" else statistics.fmean
    values = [float(m[key]) for m in complete]
    low, high = map(_mean_or_none, zip(*(_bounds(m, key) for m in complete), strict=True))
    p90, p90_bound = (_mean_or_none([m.get(field) for m in complete]) for field in ("p90", "p90_bound"))
    spread = statistics.stdev(values) if len(values) > 1 else None
    noisy = any(bool(m.get("all_threads_noisy" if key == "all_threads_ns" else "noisy")) for m in complete)
    return Figure(mean(values), low, high, p90, p90_bound, spread, len(values), noisy=noisy)


def _too_few_calls(measurement: Mapping[str, Any], key: str) -> bool:
    return key == "all_threads_ns" and (measurement.get("all_threads_n") or 0) < ALL_THREADS_CALLS


def _bounds(measurement: Mapping[str, Any], key: str) -> tuple[float | None, float | None]:
    if key in _INTERVALS:
        low, high = measurement.get(_INTERVALS[key]) or (None, None)
        return low, high
    if key != "value":
        return None, None
    low = measurement.get("ci_low", measurement.get("q25"))
    return low, measurement.get("ci_high", measurement.get("q75"))


def _mean_or_none(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if len(known) == len(values) else None


def _ranks(rows: Sequence[BoardRow]) -> list[tuple[int, int] | None]:
    """Best and worst possible place of each row: only disjoint intervals order two rows."""
    intervals: dict[int, tuple[float, float]] = {}
    for index, row in enumerate(rows):
        accuracy = row["accuracy"]
        if accuracy.value is not None and row.trained:
            low = accuracy.value if accuracy.low is None else accuracy.low
            intervals[index] = (low, accuracy.value if accuracy.high is None else accuracy.high)
    ranks: list[tuple[int, int] | None] = [None] * len(rows)
    for index, (low, high) in intervals.items():
        better = sum(other_low > high for other_low, _ in intervals.values())
        worse = sum(other_high < low for _, other_high in intervals.values())
        ranks[index] = (1 + better, len(intervals) - worse)
    return ranks


def _pareto(rows: Sequence[BoardRow]) -> set[int]:
    """Indices of the rows on the Pareto front of accuracy and latency ratio; equal points are both on it."""
    points: dict[int, tuple[float, float]] = {}
    for index, row in enumerate(rows):
        accuracy, ratio = row["accuracy"].value, row["ratio"].value
        if accuracy is not None and ratio is not None and row.trained:
            points[index] = (accuracy, ratio)
    return {
        index
        for index, (accuracy, ratio) in points.items()
        if not any(a >= accuracy and r <= ratio and (a, r) != (accuracy, ratio) for a, r in points.values())
    }


def _order(row: BoardRow) -> tuple[bool, float, float, str, str]:
    accuracy, ratio = row["accuracy"].value, row["ratio"].value
    speed = math.inf if ratio is None else ratio
    return row.rank is None, -(accuracy or 0.0), speed, row.system, row.machine
