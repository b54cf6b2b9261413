"""The candidates of ``bench choose``: systems in runtimes that are one file, with what they do and cost.

Rows were timed under different CPU load, so their own milliseconds do not compare. Their ratios to the reference
network do, because each row was timed in pairs with it. A latency here is that ratio times one common reference time.
"""

import math
import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bench.plugins import INT8, W8, exportable_runtimes, exported_name
from bench.records.choosing.timings import timing_of
from bench.records.formatting import MILLION
from bench.records.protocols import base_name
from bench.records.rows import BoardRow

EAGER = "eager"  # the runtime of the measurement ``latency``, which has no @


@dataclass(frozen=True)
class Candidate:
    """One system in one runtime.

    Attributes:
        accuracy: ratio, with its 95 % interval ``low`` to ``high``; in this runtime if it was measured there.
        ratio_to_reference: its latency over that of the reference network, measured in pairs.
        latency_ms: that ratio times the reference time that all candidates share.
        measured_ms: the measured latency, under the CPU load at that time.
        size_mb: of the exported file; None if unknown.
        memory_mb: of a process that has loaded it and classified a character; None if unknown.
        noisy: its latency was measured on a busy machine.
        seed: of the row that is exported.
        file_sha256: of the exported file whose figures these are; None in records that do not state it.
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
    memory_mb: float | None
    noisy: bool
    seed: int
    file_sha256: str | None

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


class LeftOut(Exception):  # noqa: N818  (not an error of the user's)
    """Why a system in a runtime is no candidate."""


def reference_ns(rows: Iterable[BoardRow], version: str) -> float | None:
    """Median time of the reference network over the rows' latencies of this protocol version; None without any."""
    times = [
        latency["reference_ns"]
        for row in rows
        for item in row.records
        for name, latency in item.record["measurements"].items()
        if base_name(name) == "latency"
        and latency.get("reference_ns")
        and str(latency.get("version")).partition(".")[0] == version  # 3 and, in runtimes, 3.2
    ]
    return statistics.median(times) if times else None


def candidates_of(
    row: BoardRow, runtimes: Sequence[str], timed: Sequence[Sequence[BoardRow]] | None, reference: float | None,
    left_out: list[tuple[str, str]],
) -> Iterator[Candidate]:  # fmt: skip
    """The candidates of a row, in the runtimes in which it was measured or timed.

    Args:
        row: of a board.
        runtimes: the only ones to choose from; empty for all.
        timed: rows timed on this machine, whose times and memory are used; None to use those of the row.
        reference: nanoseconds; None if no record states it.
        left_out: gets the name and the reason of what is no candidate.
    """
    measured = {name.partition("@")[2] or EAGER for name in row.figures if base_name(name) == "latency"}
    for runtime in sorted(runtimes or {*measured, *exportable_runtimes()}):
        source = row if timed is None else timing_of(row, runtime, timed)
        if runtime not in measured and (source is None or source is row):
            continue
        try:
            yield _candidate(row, runtime, source, reference)
        except LeftOut as reason:
            left_out.append((f"{row.system} in {runtime}", str(reason)))


def _candidate(row: BoardRow, runtime: str, source: BoardRow | None, reference: float | None) -> Candidate:
    """The row in this runtime, with the times and the memory of ``source``; raises LeftOut."""
    if not row.trained:
        raise LeftOut("its weights are random")
    if not exported_name(runtime):
        raise LeftOut(f"{runtime} is not a file")
    accuracy = _accuracy(row, runtime)
    if source is None:
        raise LeftOut("not timed on this machine")
    latency, times = source[f"latency@{runtime}"], source[f"ratio@{runtime}"]
    if latency.value is None:
        raise LeftOut(f"latency is {latency.why or 'missing'}")
    if times.value is None or reference is None:
        raise LeftOut("its record does not state the reference's time: run it with --fresh")
    size, memory = row[f"size_bytes@{runtime}"].value, source[f"process_bytes@{runtime}"].value
    seed, file_sha256 = _file(row, runtime)
    return Candidate(
        row.system, runtime, *accuracy, times.value, times.value * reference / MILLION, latency.value / MILLION,
        None if size is None else size / MILLION, None if memory is None else memory / MILLION, latency.noisy,
        seed, file_sha256,
    )  # fmt: skip


def _accuracy(row: BoardRow, runtime: str) -> tuple[float, float, float]:
    """Accuracy and its interval in this runtime; for runtimes that keep the answers, else that of the weights."""
    found = row[f"accuracy@{runtime}"]
    if found.value is None and runtime.endswith((INT8, W8)):
        form = runtime.rpartition("-")[2]
        raise LeftOut(f"accuracy in {form} not measured" if not found.why else f"accuracy in {form} is {found.why}")
    found = row["accuracy"] if found.value is None else found
    if found.value is None:
        raise LeftOut(f"accuracy is {found.why or 'missing'}")
    low, high = (found.value if bound is None else bound for bound in (found.low, found.high))
    return found.value, low, high


def _file(row: BoardRow, runtime: str) -> tuple[int, str | None]:
    """Seed and checksum of the file to export: that of the first seed; the candidate's figures are means over seeds."""
    records = sorted((item.record for item in row.records), key=lambda record: int(record["seed"]))
    for record in records:
        figures = [m for name, m in record["measurements"].items() if name.partition("@")[2] == runtime]
        files = {m["file_sha256"] for m in figures if m.get("file_sha256")}
        if len(files) > 1:
            raise LeftOut("its figures are of different files: measure again")
        if figures:
            return record["seed"], next(iter(files), None)
    return records[0]["seed"], None
