"""Records to the rows of a board: seeds joined, stale figures set aside, ranks and the Pareto front."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.plugins import figures as figures_of
from bench.records.load import Stored
from bench.records.protocols import Protocol, base_name, protocol_name

SCALES = ("paper", "quick", "smoke")  # the published protocol first
BASELINE = "nearest_mean"  # one mean image a class: says how hard the data set is
ROBUST = figures_of("robustness")  # accuracies on changed characters
_INTERVALS = {"ratio_to_reference": "ratio_ci", "drop": "drop_ci"}  # what a measurement holds -> its interval
# What a latency holds beside its time -> what a row calls it; of ``latency@x`` it is ``ratio@x`` and so on.
_BESIDE = {"ratio_to_reference": "ratio", "all_threads_ns": "all_threads", "agreement": "agreement"}


@dataclass(frozen=True)
class Figure:
    """One figure of one row, in the measurement's unit.

    Attributes:
        value: mean over the seeds; None where there is none.
        low, high: interval or quartiles, as the measurement gives them; mean over the seeds.
        p90, p90_bound: of a latency; the bound is an upper one of 95 %.
        spread: standard deviation over the seeds; None for one seed.
        n: seeds that gave it.
        why: what stands in place of a value: ``stale``, ``incomplete: …``, or nothing.
        noisy: the measurement called itself unsteady.
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
    """One system on one machine, all seeds together.

    Attributes:
        rank: (best, worst) place by accuracy; None where it is not ranked.
        pareto: no other row is both at least as accurate and at least as fast.
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
        """Whether its weights were trained; random ones are timed but never ranked."""
        return all(item.record.get("weights", "trained") == "trained" for item in self.records)


def sections(stored: Sequence[Stored]) -> list[list[Stored]]:
    """Records that may be compared: of one scale and one data set fingerprint; paper scale first."""
    found: dict[tuple[int, str, str], list[Stored]] = {}
    for item in stored:
        scale = item.record["scale"]
        order = SCALES.index(scale) if scale in SCALES else len(SCALES)
        found.setdefault((order, scale, item.record["dataset"]["fingerprint"]), []).append(item)
    return [found[key] for key in sorted(found)]


def board_rows(stored: Sequence[Stored], protocols: Mapping[str, Protocol]) -> list[BoardRow]:
    """The rows of one section, best accuracy first, rows without a rank last; failed records make none."""
    groups: dict[tuple[str, str], list[Stored]] = {}
    for item in stored:
        if item.record["status"] != "failed":
            groups.setdefault((item.record["system"], item.record["machine"]["name"]), []).append(item)
    rows = [_row(groups[key], protocols) for key in sorted(groups)]
    ranks, front = _ranks(rows), _pareto(rows)
    ranked = [
        BoardRow(r.system, r.recipe, r.machine, r.records, r.figures, ranks[i], i in front) for i, r in enumerate(rows)
    ]
    return sorted(ranked, key=_order)


def recipe_name(record: Mapping[str, Any]) -> str:
    """Name of the recipe a record was trained by, or nothing."""
    recipe = record.get("recipe")
    return str(recipe.get("name") or "") if isinstance(recipe, Mapping) else ""


def dropped(figure: str) -> str:
    """What a row calls the accuracy lost under a condition or in a runtime: ``drop@flip`` for ``accuracy@flip``."""
    return f"drop@{figure.partition('@')[2]}"


def times_limit(name: str, measurements: Mapping[str, Any]) -> float | None:
    """How many times longer a latency is than the least that the machine needs; None where one of them is missing.

    Args:
        name: of the latency; one that ends in ``-int8`` has the limit of int8.
        measurements: of one record.
    """
    cpu_ns = measurements.get(name, {}).get("cpu_ns")  # waiting for a busy core is not the network's doing
    limit = measurements.get("machine_limit", {}).get("int8" if name.endswith("-int8") else "value")
    return None if cpu_ns is None or not limit else float(cpu_ns / limit)


def _row(group: Sequence[Stored], protocols: Mapping[str, Protocol]) -> BoardRow:
    records = [item.record for item in group]
    names = sorted({name for record in records for name in record["measurements"]})
    figures = {name: _figure(name, records, protocols) for name in names}
    for name in names:
        if base_name(name) == "latency":
            figures |= _beside(name, records, protocols)
        if base_name(name) == "accuracy" and "@" in name:
            figures[dropped(name)] = _figure(name, records, protocols, "drop")
    first = records[0]
    return BoardRow(first["system"], recipe_name(first), first["machine"]["name"], tuple(group), figures)


def _beside(latency: str, records: Sequence[Mapping[str, Any]], protocols: Mapping[str, Protocol]) -> dict[str, Figure]:
    """What a latency holds beside its time, and how many times the machine's limit it is."""
    condition = latency.removeprefix("latency")
    found = {f"{word}{condition}": _figure(latency, records, protocols, key) for key, word in _BESIDE.items()}
    times = [times_limit(latency, record["measurements"]) for record in records]
    known = [value for value in times if value is not None]
    if _figure(latency, records, protocols).value is not None and len(known) == len(times):
        found[f"times_limit{condition}"] = Figure(statistics.geometric_mean(known), n=len(known))
    return found


def _figure(
    name: str, records: Sequence[Mapping[str, Any]], protocols: Mapping[str, Protocol], key: str = "value"
) -> Figure:
    """Join one measurement over the seeds: its value, or what it holds beside it, such as a latency's ratio."""
    found = [record["measurements"][name] for record in records if name in record["measurements"]]
    protocol = protocols.get(protocol_name(name, protocols))
    current = [m for m in found if protocol is None or str(m.get("version")) == protocol.version]
    gaps = sorted({op for m in current for op in m.get("incomplete") or ()})
    if gaps:
        return Figure(why=f"incomplete: {', '.join(gaps)}")
    whole = [m for m in current if m.get(key) is not None]
    if not whole:
        return Figure(why="stale" if len(current) < len(found) else "")
    mean = statistics.geometric_mean if key == "ratio_to_reference" else statistics.fmean
    bounds = [_bounds(m, key) for m in whole]
    values = [float(m[key]) for m in whole]
    return Figure(
        mean(values),
        _mean_or_none([low for low, _ in bounds]),
        _mean_or_none([high for _, high in bounds]),
        _mean_or_none([m.get("p90") for m in whole]),
        _mean_or_none([m.get("p90_bound") for m in whole]),
        statistics.stdev(values) if len(values) > 1 else None,
        len(values),
        noisy=any(bool(m.get("noisy")) for m in whole),
    )


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
    """Best and worst possible place of each row: only intervals that lie apart put one row before another."""
    spans: dict[int, tuple[float, float]] = {}
    for index, row in enumerate(rows):
        accuracy = row["accuracy"]
        if accuracy.value is not None and row.trained:
            low = accuracy.value if accuracy.low is None else accuracy.low
            spans[index] = (low, accuracy.value if accuracy.high is None else accuracy.high)
    ranks: list[tuple[int, int] | None] = [None] * len(rows)
    for index, (low, high) in spans.items():
        better = sum(other_low > high for other_low, _ in spans.values())
        worse = sum(other_high < low for _, other_high in spans.values())
        ranks[index] = (1 + better, len(spans) - worse)
    return ranks


def _pareto(rows: Sequence[BoardRow]) -> set[int]:
    """Rows that no other is both at least as accurate and at least as fast as; equal points both stay."""
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
