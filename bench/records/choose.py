"""``bench choose``: selects the system to deploy within limits on accuracy, latency and size, from records alone.

Rows were timed under different CPU load, so their own milliseconds do not compare. Their ratios to the reference
network do, because each row was timed in pairs with it. A latency here is that ratio times one common reference time.
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
EAGER = "eager"  # the runtime of the measurement ``latency``, which has no @
INT8 = "-int8"  # suffix of runtimes that change the weights


@dataclass(frozen=True)
class Limits:
    """Limits of a deployment; None for no limit.

    Attributes:
        max_latency_ms: milliseconds per character on one thread, compared with ``Candidate.latency_ms``.
        min_accuracy: per cent; a value of at most 1 is a ratio.
        max_size_mb: size of the stored weights, 10^6 bytes.
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
        ratio_to_reference: its latency over that of the reference network, measured in pairs.
        latency_ms: that ratio times the reference time that all candidates share.
        measured_ms: the measured latency, under the CPU load at that time.
        size_mb: of its stored weights; None if the runtime changed them and the result was not measured.
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
        """Its name in answers and notes."""
        return f"{self.system} in {self.runtime}"

    @property
    def costs(self) -> tuple[float, float, float]:
        """Negative accuracy, latency and size, each better if smaller; an unknown size counts as infinite."""
        return -self.accuracy, self.latency_ms, math.inf if self.size_mb is None else self.size_mb

    def dominates(self, other: "Candidate") -> bool:
        """Whether it is at least as good in accuracy, latency and size, and better in one."""
        return self.costs != other.costs and all(a <= b for a, b in zip(self.costs, other.costs, strict=True))


def choose_from(
    leaderboards: Path, suite: str, dataset: str | None, scale: str, machine: str | None, limits: Limits
) -> dict[str, Any]:
    """The most accurate candidate within the limits, on one data set and one machine.

    Args:
        leaderboards: folder that contains ``results``.
        suite: whose records.
        dataset: its name in the records; None for the suite's default.
        scale: of the records.
        machine: its name in the records; None if there is only one.
        limits: of the deployment.

    Returns: what ``--json`` prints. ``chosen`` is null if no candidate fits; then ``excluded`` counts the candidates
        that each limit excludes, and ``nearest`` is the candidate with the smallest worst ``misses``: factors by which
        limits are missed, null if undefined. ``front`` is the Pareto front of accuracy, latency and size; ``given_up``
        compares its other members with the chosen one. ``reference_ms`` is the common reference time.

    Raises:
        UnknownPlugin: no such suite.
        ChoiceError: a suite without recognisers, no matching records, or several machines and none named.
    """
    notes: list[str] = []
    stored = candidate_records(leaderboards, suite, dataset, scale, machine, notes)
    protocols = present_protocols()
    reference = _reference_ns(stored, protocols["latency"].version)
    candidates = list(_candidates(stored, reference, protocols, notes))
    front = [one for one in candidates if not any(other.dominates(one) for other in candidates)]
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
    """Median time of the reference network over all latencies of the current protocol version; None without any."""
    times = [
        latency["reference_ns"]
        for item in stored
        for name, latency in item.record["measurements"].items()
        if base_name(name) == "latency" and str(latency.get("version")) == version and latency.get("reference_ns")
    ]
    return statistics.median(times) if times else None


def _candidates(
    stored: Sequence[Stored], reference: float | None, protocols: Mapping[str, Protocol], notes: list[str]
) -> Iterator[Candidate]:
    failed = [item.record["system"] for item in stored if item.record["status"] == "failed"]
    notes += [f"{system}: left out, its row failed" for system in failed]
    for row in board_rows(stored, protocols):
        if not row.trained:
            notes.append(f"{row.system}: left out, its weights are random")
            continue
        latencies = [name for name in sorted(row.figures) if base_name(name) == "latency"]
        yield from filter(None, (_candidate(row, name, reference, notes) for name in latencies))


def _candidate(row: BoardRow, latency: str, reference: float | None, notes: list[str]) -> Candidate | None:
    runtime = latency.partition("@")[2] or EAGER
    # A runtime that changes the answers, such as int8, may have its own accuracy.
    runtime_accuracy = f"accuracy@{runtime}"
    accuracy = row[runtime_accuracy if runtime_accuracy in row.figures else "accuracy"]
    ratio = row[f"ratio{latency.removeprefix('latency')}"]
    used = {"accuracy": accuracy, latency: row[latency], "ratio to the reference": ratio}
    if not runtime.endswith(INT8):
        used["size_bytes"] = row["size_bytes"]
    for name, figure in used.items():
        if figure.value is None:
            notes.append(f"{row.system} in {runtime}: left out, {name} is {figure.why or 'missing'}")
            return None
    if reference is None:
        notes.append(f"{row.system} in {runtime}: left out, no record states the reference's time; run it with --fresh")
        return None
    value, measured, times, *size = (figure.value or 0.0 for figure in used.values())
    notes += [f"{row.system} in {runtime}: {text}" for text in _warnings(row, latency, runtime_accuracy)]
    return Candidate(
        row.system, runtime, value, value if accuracy.low is None else accuracy.low,
        value if accuracy.high is None else accuracy.high, times, times * reference / MILLION, measured / MILLION,
        size[0] / MILLION if size else None, row[latency].noisy,
    )  # fmt: skip


def _warnings(row: BoardRow, latency: str, runtime_accuracy: str) -> Iterator[str]:
    if row[latency].noisy:
        yield "its latency is noisy, measured on a busy machine"
    if latency.endswith(INT8):
        if runtime_accuracy not in row.figures:
            yield "the accuracy is that of its weights before int8"
        yield "its size is not known, size_bytes is that of its weights before int8"


def _missed(one: Candidate, limits: Limits) -> dict[str, float | None]:
    """The factor by which each missed limit is missed, by flag; None for an unknown size or a limit of no errors.

    For accuracy it is the ratio of error rates: 99 % is far from 99.9 %.
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
    """``value / of``; None if one is unknown or the quotient is not finite."""
    factor = value / of if value is not None and of else math.inf
    return factor if math.isfinite(factor) else None


def _excluded(candidates: Sequence[Candidate], limits: Limits) -> dict[str, int]:
    flags = {"--max-latency-ms": limits.max_latency_ms, "--min-accuracy": limits.ratio,
             "--max-size-mb": limits.max_size_mb}  # fmt: skip
    missed = [_missed(one, limits) for one in candidates]
    return {flag: sum(flag in one for one in missed) for flag, limit in flags.items() if limit is not None}


def _given_up(chosen: Candidate, other: Candidate, limits: Limits) -> dict[str, Any]:
    """Compares another member of the front with the chosen one, and says why it was not chosen."""
    points = 100 * (other.accuracy - chosen.accuracy)
    time, size = _factor(other.latency_ms, chosen.latency_ms), _factor(other.size_mb, chosen.size_mb)
    parts = [f"{abs(points):.2f} points {'more' if points > 0 else 'less'} accurate"] if points else []
    factors = (("time", time), ("size", size))
    parts += [f"{formatting.digits(factor)} × the {word}" for word, factor in factors if factor not in (None, 1)]
    if (other.size_mb is None) != (chosen.size_mb is None):
        parts.append("a size that is not known" if other.size_mb is None else f"{formatting.digits(other.size_mb)} MB")
    missed = _missed(other, limits)
    tied = not missed and other.low <= chosen.high and chosen.low <= other.high
    why = f"; outside {', '.join(missed)}" if missed else "; the accuracies' intervals overlap" if tied else ""
    return {
        **asdict(other), "points": points, "latency_factor": time, "size_factor": size, "misses": missed, "tied": tied,
        "text": f"{other.name}: {', '.join(parts)}{why}",
    }  # fmt: skip
