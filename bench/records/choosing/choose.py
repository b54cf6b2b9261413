"""``bench choose``: selects the system to deploy within limits on accuracy, latency, size and memory, from records."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bench.plugins import UnknownPlugin, check_runtimes, exportable_runtimes
from bench.records.choosing.candidates import Candidate, candidates_of, reference_ns
from bench.records.choosing.selection import Request, board_records, machine_of, of_one_machine
from bench.records.choosing.timings import check_timed, timed_here
from bench.records.deploy_commands import export_command, is_here, run_command, train_command
from bench.records.formatting import MILLION, digits, percent
from bench.records.load import Stored
from bench.records.protocols import present_protocols
from bench.records.rows import board_rows

SHOWN, MISSES = 10, 3  # candidates in the table, and how many of them are nearest misses if enough others fit
_DATASET = ("name", "synthetic", "fingerprint", "classes")
_SAME_TIME = 0.01  # latencies that differ by less count as equal


@dataclass(frozen=True)
class Limits:
    """Limits of a deployment; None for no limit.

    Attributes:
        max_latency_ms: milliseconds per character on one thread, compared with ``Candidate.latency_ms``.
        min_accuracy: per cent; a value of at most 1 is a ratio.
        max_size_mb: size of the exported file, 10^6 bytes.
        max_memory_mb: memory of a process that has loaded it, 10^6 bytes.
    """

    max_latency_ms: float | None = None
    min_accuracy: float | None = None
    max_size_mb: float | None = None
    max_memory_mb: float | None = None

    @property
    def ratio(self) -> float | None:
        """``min_accuracy`` as a ratio."""
        return self.min_accuracy if self.min_accuracy is None or self.min_accuracy <= 1 else self.min_accuracy / 100


@dataclass(frozen=True)
class Miss:
    """One limit that a candidate misses.

    Attributes:
        factor: by which it is missed; None if a figure is unknown, or the limit allows no error. For accuracy it is
            the ratio of error rates: 99 % is far from 99.9 %.
        text: the figure and the limit: ``too slow: 4.54 ms > 1 ms``.
        by: the factor in words: ``4.54 × too slow``.
    """

    factor: float | None
    text: str
    by: str


def choose_from(request: Request, limits: Limits) -> dict[str, Any]:
    """The most accurate candidate within the limits, on one data set and one machine.

    Returns: what ``--json`` prints. ``table`` is what the command prints: first the chosen candidate; then the other
        fitting ones, those on the Pareto front before the rest, the most accurate first; then at most MISSES of those
        that miss a limit (all, if nothing fits), the nearest first. ``chosen`` is null if no candidate fits; then
        ``nearest`` is the candidate with the smallest worst ``misses``: factors by which limits are missed, null if
        undefined. ``excluded`` counts the candidates that each limit excludes, ``left_out`` what is no candidate, by
        reason. ``front`` is the Pareto front of accuracy, latency and size; ``given_up`` compares its other members
        with the chosen one. ``reference_ms`` is the common reference time.

    Raises:
        UnknownPlugin: no such suite, or no such runtime that can be exported.
        ChoiceError: a suite without recognisers, no matching records, no record of the machine, or no timing
            of this machine.
    """
    check_runtimes(*request.runtimes)
    if unfit := [name for name in request.runtimes if name not in exportable_runtimes()]:
        known = ", ".join(exportable_runtimes())
        raise UnknownPlugin(f"--runtime {unfit[0]}: wanted a runtime that ships as a file: {known}")
    notes: list[str] = []
    board = board_records(request, notes)
    stored = of_one_machine(board, request)
    candidates, left_out, reference = _candidates(request, board, stored, notes)
    front = [one for one in candidates if not any(other.dominates(one) for other in candidates)]
    fits = [one for one in candidates if not missed(one, limits)]
    chosen = min(fits, key=lambda one: one.costs, default=None)
    shown = _shown(candidates, front, chosen, limits)
    nearest = shown[0] if shown and not chosen else None
    data = {name: stored[0].record["dataset"][name] for name in _DATASET}
    return {
        "dataset": data, "suite": request.suite, "scale": request.scale, "machine": machine_of(stored[0]),
        "machines": sorted({machine_of(item) for item in board}), "machine_named": request.machine is not None,
        "here": request.here, "limits": asdict(limits),
        "latency_ms_is": "ratio_to_reference times reference_ms, the reference's median",
        "reference_ms": reference,
        "candidates": len(candidates), "fit": len(fits), "left_out": left_out,
        "chosen": asdict(chosen) if chosen else None, **_commands(chosen, candidates, stored, request),
        "table": [_compared(one, chosen, limits) for one in shown],
        "front": [asdict(one) for one in sorted(front, key=lambda one: one.latency_ms)],
        "given_up": [_compared(one, chosen, limits) for one in front if one != chosen] if chosen else [],
        "excluded": _excluded(candidates, limits),
        "nearest": _compared(nearest, None, limits) if nearest else None, "notes": notes,
    }  # fmt: skip


def missed(one: Candidate, limits: Limits) -> dict[str, Miss]:
    """The limits that a candidate misses, by flag."""
    found = {}
    if limits.ratio is not None and one.accuracy < limits.ratio:
        factor = _factor(1 - one.accuracy, 1 - limits.ratio)
        text = f"too inaccurate: {percent(one.accuracy)} % < {100 * limits.ratio:g} %"
        found["--min-accuracy"] = Miss(factor, text, f"{digits(factor)} × too many errors" if factor else text)
    for flag, word, unit, value, limit in (
        ("--max-latency-ms", "too slow", "ms", one.latency_ms, limits.max_latency_ms),
        ("--max-size-mb", "too large", "MB", one.size_mb, limits.max_size_mb),
        ("--max-memory-mb", "too much memory", "MB", one.memory_mb, limits.max_memory_mb),
    ):
        if limit is None or (value is not None and value <= limit):
            continue
        factor = _factor(value, limit)
        unknown = f"{'size' if 'size' in flag else 'memory'} unknown: measure again"
        text = unknown if value is None else f"{word}: {digits(value)} {unit} > {limit:g} {unit}"
        found[flag] = Miss(factor, text, f"{digits(factor)} × {word}" if factor else text)
    return found


def _candidates(
    request: Request, board: Sequence[Stored], stored: Sequence[Stored], notes: list[str]
) -> tuple[list[Candidate], dict[str, int], float | None]:
    """The candidates, what is none by reason, and the reference time in ms."""
    protocols = present_protocols()
    rows = board_rows(stored, protocols)
    timed = timed_here(request, board, protocols, notes) if request.here else None
    if timed is not None:
        check_timed(rows, timed, request, stored[0].record["dataset"]["name"])
    used = rows if timed is None else [row for group in timed for row in group]
    reference = reference_ns(used, protocols["latency"].version)
    left_out = [(item.record["system"], "its row failed") for item in stored if item.record["status"] == "failed"]
    found = [one for row in rows for one in candidates_of(row, request.runtimes, timed, reference, left_out)]
    notes += [f"{name}: left out, {reason}" for name, reason in left_out]
    notes += [f"{one.name}: its latency is noisy, measured on a busy machine" for one in found if one.noisy]
    counts = dict(Counter(reason for _, reason in left_out))
    return found, counts, None if reference is None else reference / MILLION


def _shown(
    candidates: Sequence[Candidate], front: Sequence[Candidate], chosen: Candidate | None, limits: Limits
) -> list[Candidate]:
    """The candidates of the table, in the order that ``choose_from`` states."""
    fits = [one for one in candidates if not missed(one, limits)]
    others = [one for one in candidates if one not in fits]
    fits.sort(key=lambda one: (one != chosen, one not in front, one.costs))
    others.sort(key=lambda one: (_worst(missed(one, limits)), one.costs))
    fits = fits[: SHOWN - min(MISSES, len(others))]
    return [*fits, *others[: min(MISSES, SHOWN - len(fits)) if fits else SHOWN]]


def _commands(
    chosen: Candidate | None, candidates: Sequence[Candidate], stored: Sequence[Stored], request: Request
) -> dict[str, Any]:
    """The commands that make the chosen file, and whether it or its weights lie on this machine.

    Without any candidate, the command that makes some.
    """
    if chosen is None:
        runtimes = request.runtimes or ("onnxruntime",)
        options = [word for name in runtimes for word in ("--runtime", name)]
        data, out = stored[0].record, request.leaderboards
        run = run_command(request.suite, data["dataset"]["name"], request.scale, out, data, options)
        return {"file_here": None, "commands": [] if candidates else [run]}
    rows = (item.record for item in stored if item.record["system"] == chosen.system)
    record = next(record for record in rows if record["seed"] == chosen.seed)
    here = is_here(request.runs, record, chosen.runtime)
    train = [] if here else [train_command(record, chosen.runtime, request.leaderboards)]
    return {"file_here": here, "commands": [*train, export_command(record, chosen.runtime, request.leaderboards)]}


def _compared(one: Candidate, chosen: Candidate | None, limits: Limits) -> dict[str, Any]:
    """A candidate beside the chosen one, with the reason why it is in or out."""
    misses = missed(one, limits)
    found = {**asdict(one), "misses": {flag: miss.factor for flag, miss in misses.items()}}
    if chosen is None:
        return {**found, "reason": ", ".join(_by_factor(misses))}
    points = 100 * (one.accuracy - chosen.accuracy)
    time, size = _factor(one.latency_ms, chosen.latency_ms), _factor(one.size_mb, chosen.size_mb)
    tied = not misses and one.low <= chosen.high and chosen.low <= one.high
    if one == chosen:
        reason = "chosen"
    elif misses:
        reason = next(iter(misses.values())).text if len(misses) == 1 else _words(misses)
    elif tied:
        reason = f"fits; tied, {_pace(time or 1)}"
    else:
        reason = f"fits; −{-points:.1f} points"
    reason += ", noisy" if one.noisy and not misses else ""
    return {**found, "points": points, "latency_factor": time, "size_factor": size, "tied": tied, "reason": reason}


def _by_factor(misses: Mapping[str, Miss]) -> list[str]:
    """What is missed, the worst first."""
    return [miss.by for miss in sorted(misses.values(), key=lambda miss: -_worst({"": miss}))]


def _words(misses: Mapping[str, Miss]) -> str:
    """``too slow, too large``."""
    return ", ".join(miss.text.partition(":")[0] for miss in misses.values())


def _pace(factor: float) -> str:
    return "as fast" if abs(factor - 1) < _SAME_TIME else "slower" if factor > 1 else "faster"


def _worst(misses: Mapping[str, Miss]) -> float:
    return max((math.inf if miss.factor is None else miss.factor for miss in misses.values()), default=1.0)


def _factor(value: float | None, of: float | None) -> float | None:
    """``value / of``; None if one is unknown or the quotient is not finite."""
    factor = value / of if value is not None and of else math.inf
    return factor if math.isfinite(factor) else None


def _excluded(candidates: Sequence[Candidate], limits: Limits) -> dict[str, int]:
    flags = {f"--{name.replace('_', '-')}": limit for name, limit in asdict(limits).items()}
    misses = [missed(one, limits) for one in candidates]
    return {flag: sum(flag in one for one in misses) for flag, limit in flags.items() if limit is not None}
