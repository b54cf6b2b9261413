"""``bench choose``: which system to deploy within limits, answered from records alone.

Rows were timed under different load, so that their own milliseconds do not compare. Their ratios to the reference do,
which was timed in pairs with each: a latency here is that ratio times one reference time for all.
"""

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.records import formatting
from bench.records.candidates import candidate_records
from bench.records.load import Stored
from bench.records.protocols import Protocol, base_name, present_protocols
from bench.records.rows import BoardRow, board_rows

MILLION = 1e6  # nanoseconds in a millisecond, bytes in an MB
_DATASET = ("name", "synthetic", "fingerprint", "classes")
EAGER = "eager"  # the runtime of the measurement ``latency`` without an @
INT8 = "-int8"  # how runtimes end that change the weights


@dataclass(frozen=True)
class Limits:
    """What a deployment allows; None for no limit.

    Attributes:
        max_latency_ms: of one character on one thread, as ``Candidate`` states it.
        min_accuracy: per cent; 1 and less is a ratio.
        max_size_mb: of 10^6 bytes.
    """

    max_latency_ms: float | None = None
    min_accuracy: float | None = None
    max_size_mb: float | None = None

    @property
    def ratio(self) -> float | None:
        """``min_accuracy`` as a ratio."""
        return self.min_accuracy if self.min_accuracy is None or self.min_accuracy <= 1 else self.min_accuracy / 100


@dataclass(frozen=True)
class Candidate:
    """One system in one runtime.

    Attributes:
        accuracy: ratio, with its 95 % interval ``low`` to ``high``.
        ratio_to_reference: of its time, measured in pairs.
        latency_ms: that ratio times the reference time that all candidates share.
        measured_ms: what the clock showed, under the load of its own hour.
        size_mb: of its stored weights; None where a runtime has changed them and nobody has measured the result.
        noisy: its latency was measured on a busy machine.
    """

    system: str
    runtime: str
    accuracy: float
    low: float
    high: float
    ratio_to_reference: float
    latency_ms: float
    measured_ms: float
    size_mb: float | None
    noisy: bool

    @property
    def name(self) -> str:
        """As answers call it."""
        return f"{self.system} in {self.runtime}"

    @property
    def costs(self) -> tuple[float, float, float]:
        """Accuracy, latency and size, less is better; an unknown size counts as larger than any other."""
        return -self.accuracy, self.latency_ms, math.inf if self.size_mb is None else self.size_mb

    def beats(self, other: "Candidate") -> bool:
        """At least as good in all three, and better in one."""
        mine, its = self.costs, other.costs
        return mine != its and all(a <= b for a, b in zip(mine, its, strict=True))


def choose_from(
    leaderboards: Path, suite: str, dataset: str | None, scale: str, machine: str | None, limits: Limits
) -> dict[str, Any]:
    """The most accurate candidate within the limits, of one dataset and one machine.

    Args:
        leaderboards: folder of ``results``.
        suite: whose records.
        dataset: as records name it; None for the suite's own.
        scale: of the records.
        machine: as records name it; None where there is only one.
        limits: of the deployment.

    Returns: what ``--json`` prints. ``chosen`` is null where nothing fits; then ``excluded`` counts what each limit
        alone excludes, and ``nearest`` is the candidate that misses its worst limit by the smallest factor; a factor
        is null where there is none. ``front`` is the Pareto front of accuracy, latency and size; ``given_up`` says
        what its other members would bring. ``reference_ms`` is the time that ratios are multiplied with.

    Raises:
        ChoiceError: a suite without recognisers, no such records, or of several machines.
    """
    notes: list[str] = []
    stored = candidate_records(leaderboards, suite, dataset, scale, machine, notes)
    protocols = present_protocols()
    reference = _reference_ns(stored, protocols["latency"].version)
    candidates = list(_candidates(stored, reference, protocols, notes))
    front = [one for one in candidates if not any(other.beats(one) for other in candidates)]
    fits = [one for one in candidates if not _missed(one, limits)]
    chosen = min(fits, key=lambda one: one.costs, default=None)
    nearest = min(candidates, key=lambda one: (_worst(_missed(one, limits)), one.costs), default=None)
    return {
        "dataset": {name: stored[0].record["dataset"][name] for name in _DATASET},
        "suite": suite, "scale": scale, "machine": stored[0].record["machine"]["name"], "limits": asdict(limits),
        "reference_ms": None if reference is None else reference / MILLION,
        "latency_ms_is": "ratio_to_reference times reference_ms, the median of the reference in these records",
        "candidates": len(candidates), "fit": len(fits), "chosen": asdict(chosen) if chosen else None,
        "front": [asdict(one) for one in sorted(front, key=lambda one: one.latency_ms)],
        "given_up": [_given_up(chosen, one, limits) for one in front if one != chosen] if chosen else [],
        "excluded": _excluded(candidates, limits),
        "nearest": {**asdict(nearest), "misses": _missed(nearest, limits)} if nearest and not chosen else None,
        "notes": notes,
    }  # fmt: skip


def _reference_ns(stored: Sequence[Stored], version: str) -> float | None:
    """The median of the reference's times beside all rows in all runtimes, measured as today; None without any."""
    latencies = [
        figure
        for item in stored
        for name, figure in item.record["measurements"].items()
        if base_name(name) == "latency" and str(figure.get("version")) == version
    ]
    return statistics.median([one["reference_ns"] for one in latencies if one.get("reference_ns")] or [0.0]) or None


def _candidates(
    stored: Sequence[Stored], reference: float | None, protocols: Mapping[str, Protocol], notes: list[str]
) -> Iterator[Candidate]:
    failed = [item.record["system"] for item in stored if item.record["status"] == "failed"]
    notes += [f"{system}: left out, its row failed" for system in failed]
    for row in board_rows(stored, protocols):
        if not row.trained:
            notes.append(f"{row.system}: left out, its weights are random")
            continue
        for name in sorted(row.figures):
            if base_name(name) == "latency":
                found = _candidate(row, name, reference, notes)
                if found:
                    yield found


def _candidate(row: BoardRow, latency: str, reference: float | None, notes: list[str]) -> Candidate | None:
    runtime = latency.partition("@")[2] or EAGER
    # A runtime that changes the answers, as int8 does, may bring an accuracy of its own.
    own = f"accuracy@{runtime}"
    ratio = f"ratio{latency.removeprefix('latency')}"
    used = {"accuracy": row[own] if own in row.figures else row["accuracy"], latency: row[latency],
            "ratio to the reference": row[ratio]}  # fmt: skip
    if not runtime.endswith(INT8):
        used["size_bytes"] = row["size_bytes"]
    for name, figure in used.items():
        if figure.value is None:
            notes.append(f"{row.system} in {runtime}: left out, {name} is {figure.why or 'missing'}")
            return None
    if reference is None:
        notes.append(f"{row.system} in {runtime}: left out, no record states the reference's time; run it with --fresh")
        return None
    accuracy, measured, times, *size = (figure.value or 0.0 for figure in used.values())
    low, high = used["accuracy"].low, used["accuracy"].high
    notes += [f"{row.system} in {runtime}: {text}" for text in _reserves(row, latency, own)]
    return Candidate(
        row.system, runtime, accuracy, accuracy if low is None else low, accuracy if high is None else high,
        times, times * reference / MILLION, measured / MILLION,
        size[0] / MILLION if size else None, row[latency].noisy,
    )  # fmt: skip


def _reserves(row: BoardRow, latency: str, own: str) -> Iterator[str]:
    """What must be known of a candidate's figures."""
    if row[latency].noisy:
        yield "its latency is noisy, measured on a busy machine"
    if latency.endswith(INT8):
        if own not in row.figures:
            yield "the accuracy is that of its weights before int8"
        yield "its size is not known, size_bytes is that of its weights before int8"


def _missed(one: Candidate, limits: Limits) -> dict[str, float | None]:
    """By which factor each limit is missed, where it is; errors count for accuracy, as 99 % is not near 99.9 %.

    None where there is no such factor: an unknown size, or no error allowed at all.
    """
    factors: dict[str, float | None] = {}
    if limits.max_latency_ms is not None and one.latency_ms > limits.max_latency_ms:
        factors["--max-latency-ms"] = _factor(one.latency_ms, limits.max_latency_ms)
    if limits.ratio is not None and one.accuracy < limits.ratio:
        factors["--min-accuracy"] = _factor(1 - one.accuracy, 1 - limits.ratio)
    if limits.max_size_mb is not None and (one.size_mb is None or one.size_mb > limits.max_size_mb):
        factors["--max-size-mb"] = _factor(one.size_mb, limits.max_size_mb)
    return factors


def _worst(missed: Mapping[str, float | None]) -> float:
    return max((math.inf if factor is None else factor for factor in missed.values()), default=1.0)


def _factor(value: float | None, of: float | None) -> float | None:
    """How many times ``of`` a value is; None where no finite number says it."""
    if value is None or not of:
        return None
    found = value / of
    return found if math.isfinite(found) else None


def _excluded(candidates: Sequence[Candidate], limits: Limits) -> dict[str, int]:
    given = {"--max-latency-ms": limits.max_latency_ms, "--min-accuracy": limits.ratio,
             "--max-size-mb": limits.max_size_mb}  # fmt: skip
    return {
        name: sum(name in _missed(one, limits) for one in candidates)
        for name, value in given.items()
        if value is not None
    }


def _given_up(chosen: Candidate, other: Candidate, limits: Limits) -> dict[str, Any]:
    """What another member of the front would bring, and why it was not chosen."""
    points = 100 * (other.accuracy - chosen.accuracy)
    time, size = _factor(other.latency_ms, chosen.latency_ms), _factor(other.size_mb, chosen.size_mb)
    parts = [f"{abs(points):.2f} points {'more' if points > 0 else 'less'} accurate"] if points else []
    factors = (("time", time), ("size", size))
    parts += [f"{formatting.digits(f)} × the {word}" for word, f in factors if f not in (None, 1)]
    if (other.size_mb is None) != (chosen.size_mb is None):
        parts.append("a size that is not known" if other.size_mb is None else f"{formatting.digits(other.size_mb)} MB")
    missed = _missed(other, limits)
    tied = not missed and other.low <= chosen.high and chosen.low <= other.high
    why = f"; outside {', '.join(missed)}" if missed else "; the accuracies' intervals overlap" if tied else ""
    return {
        **asdict(other), "points": points, "latency_factor": time, "size_factor": size, "misses": missed, "tied": tied,
        "text": f"{other.name}: {', '.join(parts)}{why}",
    }  # fmt: skip
