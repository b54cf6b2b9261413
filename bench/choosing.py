"""``bench choose``: which system to deploy within limits, answered from records alone."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench import _numbers as numbers
from bench._rows import BoardRow, board_rows, sections
from bench._stored import Stored, read_stored
from bench.plugins import SUITES
from datamodules._errors import BenchError

MILLION = 1e6  # nanoseconds in a millisecond, bytes in an MB
_DATASET = ("name", "synthetic", "fingerprint", "classes")
EAGER = "eager"  # the runtime of the measurement ``latency`` without an @


class ChoiceError(BenchError):
    """No records to choose from, or records of several machines; says which, and what to add."""


@dataclass(frozen=True)
class Limits:
    """What a deployment allows; None for no limit.

    Attributes:
        max_latency_ms: of one character on one thread.
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
        noisy: its latency was measured on a busy machine.
    """

    system: str
    runtime: str
    accuracy: float
    low: float
    high: float
    latency_ms: float
    size_mb: float
    noisy: bool

    @property
    def name(self) -> str:
        """As answers call it."""
        return f"{self.system} in {self.runtime}"

    def beats(self, other: "Candidate") -> bool:
        """At least as good in all three, and better in one."""
        mine = (-self.accuracy, self.latency_ms, self.size_mb)
        its = (-other.accuracy, other.latency_ms, other.size_mb)
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
        alone excludes, and ``nearest`` is the candidate that misses its worst limit by the smallest factor. ``front``
        is the Pareto front of accuracy, latency and size; ``given_up`` says what its other members would bring.

    Raises:
        ChoiceError: no such records, or of several machines.
    """
    SUITES.check(suite)
    dataset = dataset or str(SUITES.load(suite).SUITE.dataset)
    notes: list[str] = []
    stored = _records(leaderboards, suite, dataset, scale, notes)
    machine = _machine(stored, machine)
    stored = [item for item in stored if item.record["machine"]["name"] == machine]
    candidates = list(_candidates(stored, notes))
    front = [one for one in candidates if not any(other.beats(one) for other in candidates)]
    fits = [one for one in candidates if not _missed(one, limits)]
    chosen = min(fits, key=lambda one: (-one.accuracy, one.latency_ms, one.size_mb), default=None)
    nearest = min(candidates, key=lambda one: max(_missed(one, limits).values(), default=1.0), default=None)
    return {
        "dataset": {name: stored[0].record["dataset"][name] for name in _DATASET},
        "suite": suite, "scale": scale, "machine": machine, "limits": asdict(limits),
        "candidates": len(candidates), "fit": len(fits), "chosen": asdict(chosen) if chosen else None,
        "front": [asdict(one) for one in sorted(front, key=lambda one: one.latency_ms)],
        "given_up": [_given_up(chosen, one, limits) for one in front if one != chosen] if chosen else [],
        "excluded": _excluded(candidates, limits),
        "nearest": {**asdict(nearest), "misses": _missed(nearest, limits)} if nearest and not chosen else None,
        "notes": notes,
    }  # fmt: skip


def format_choice(found: dict[str, Any]) -> str:
    """The answer as lines of text."""
    data = found["dataset"]
    kind = "synthetic data" if data["synthetic"] else "data"
    place = f"{kind} {data['name']}, {data['classes']:,} classes, scale {found['scale']}, machine {found['machine']}"
    lines = [f"{found['fit']} of {found['candidates']} systems and runtimes fit; {place}"]
    if found["chosen"]:
        lines.append(f"choose {_described(found['chosen'])}")
        lines += [f"given up: {other['text']}" for other in found["given_up"]]
    else:
        lines += [f"{limit} excludes {count} of them by itself" for limit, count in found["excluded"].items()]
        if found["nearest"]:
            missed = ", ".join(f"{limit} by {numbers.digits(f)} ×" for limit, f in found["nearest"]["misses"].items())
            lines.append(f"nearest: {_described(found['nearest'])}; it misses {missed}")
    steps = " → ".join(f"{one['system']} in {one['runtime']}" for one in found["front"])
    return "\n".join(
        [*lines, f"Pareto front, from fast to slow: {steps}", *(f"note: {note}" for note in found["notes"])]
    )


def _records(leaderboards: Path, suite: str, dataset: str, scale: str, notes: list[str]) -> list[Stored]:
    every, damaged = read_stored(leaderboards)
    notes += [str(error) for error in damaged]
    of_suite = [item for item in every if item.record["suite"] == suite and item.record["dataset"]]
    named = [item for item in of_suite if item.record["dataset"]["name"] == dataset and item.record["scale"] == scale]
    if not named:
        there = sorted({f"{item.record['dataset']['name']} at {item.record['scale']}" for item in of_suite})
        have = f"there are: {', '.join(there)}" if there else f"none of suite {suite} in {leaderboards}"
        raise ChoiceError(f"no records of {dataset} at scale {scale}; {have}; make them: bench run --suite {suite}")
    parts = sections(named)
    newest = max(parts, key=lambda part: max(str(item.record.get("started_at")) for item in part))
    if len(parts) > 1:
        left = sum(map(len, parts)) - len(newest)
        notes.append(f"{left} records of other data under the name {dataset} are left out: another fingerprint")
    return newest


def _machine(stored: Sequence[Stored], wanted: str | None) -> str:
    names = sorted({item.record["machine"]["name"] for item in stored})
    if wanted is None and len(names) > 1:
        raise ChoiceError(
            f"records of several machines, and latencies of one alone compare: --machine {'|'.join(names)}"
        )
    if wanted is not None and wanted not in names:
        raise ChoiceError(f"--machine {wanted}: no record of it; there are: {', '.join(names)}")
    return wanted or names[0]


def _candidates(stored: Sequence[Stored], notes: list[str]) -> Iterator[Candidate]:
    from bench.render import present_protocols  # pictures come with it, which takes its time

    failed = [item.record["system"] for item in stored if item.record["status"] == "failed"]
    notes += [f"{system}: left out, its row failed" for system in failed]
    for row in board_rows(stored, present_protocols()):
        if not row.trained:
            notes.append(f"{row.system}: left out, its weights are random")
            continue
        for name in sorted(row.figures):
            if name.partition("@")[0] == "latency":
                found = _candidate(row, name, notes)
                if found:
                    yield found


def _candidate(row: BoardRow, latency: str, notes: list[str]) -> Candidate | None:
    runtime = latency.partition("@")[2] or EAGER
    # A runtime that changes the answers, as int8 does, may bring an accuracy of its own.
    own = f"accuracy@{runtime}"
    used = {"accuracy": row[own] if own in row.figures else row["accuracy"], latency: row[latency],
            "size_bytes": row["size_bytes"]}  # fmt: skip
    for name, figure in used.items():
        if figure.value is None:
            notes.append(f"{row.system} in {runtime}: left out, {name} is {figure.why or 'missing'}")
            return None
    accuracy, time, size = (figure.value or 0.0 for figure in used.values())
    low, high = used["accuracy"].low, used["accuracy"].high
    noisy = row[latency].noisy
    if noisy:
        notes.append(f"{row.system} in {runtime}: its latency is noisy, measured on a busy machine")
    if runtime.endswith("-int8") and own not in row.figures:
        notes.append(f"{row.system} in {runtime}: the accuracy is that of its weights before int8")
    bounds = accuracy if low is None else low, accuracy if high is None else high
    return Candidate(row.system, runtime, accuracy, *bounds, time / MILLION, size / MILLION, noisy)


def _missed(one: Candidate, limits: Limits) -> dict[str, float]:
    """By which factor each limit is missed, where it is; errors count for accuracy, as 99 % is not near 99.9 %."""
    factors = {}
    if limits.max_latency_ms is not None and one.latency_ms > limits.max_latency_ms:
        factors["--max-latency-ms"] = one.latency_ms / limits.max_latency_ms
    if limits.ratio is not None and one.accuracy < limits.ratio:
        wrong = 1 - limits.ratio
        factors["--min-accuracy"] = (1 - one.accuracy) / wrong if wrong else math.inf
    if limits.max_size_mb is not None and one.size_mb > limits.max_size_mb:
        factors["--max-size-mb"] = one.size_mb / limits.max_size_mb
    return factors


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
    parts = [f"{abs(points):.2f} points {'more' if points > 0 else 'less'} accurate"] if points else []
    for word, mine, its in (
        ("time", chosen.latency_ms, other.latency_ms),
        ("size", chosen.size_mb, other.size_mb),
    ):
        if mine != its:
            parts.append(f"{numbers.digits(its / mine)} × the {word}")
    missed = _missed(other, limits)
    tied = not missed and other.low <= chosen.high and chosen.low <= other.high
    why = f"; outside {', '.join(missed)}" if missed else "; the accuracies' intervals overlap" if tied else ""
    return {
        **asdict(other), "points": points, "latency_factor": other.latency_ms / chosen.latency_ms,
        "size_factor": other.size_mb / chosen.size_mb, "misses": missed, "tied": tied,
        "text": f"{other.name}: {', '.join(parts)}{why}",
    }  # fmt: skip


def _described(one: dict[str, Any]) -> str:
    interval = f"{numbers.percent(one['low'])}–{numbers.percent(one['high'])}"
    noisy = " (noisy)" if one["noisy"] else ""
    return (
        f"{one['system']} in {one['runtime']}: {numbers.percent(one['accuracy'])} % [{interval}], "
        f"{numbers.digits(one['latency_ms'])} ms a character{noisy}, {numbers.digits(one['size_mb'])} MB"
    )
