"""Finds the times of this machine for ``bench choose --here``: in the board's records, then in those of bench time."""

from collections.abc import Mapping, Sequence

from bench.plugins import ARCHITECTURES
from bench.records.choosing.selection import ChoiceError, Request, machine_of
from bench.records.deploy_commands import time_command
from bench.records.load import Stored, read_records
from bench.records.protocols import Protocol
from bench.records.rows import BoardRow, board_rows, sections
from bench.system import base_name

TIMINGS = "timings"  # folder below runs/ where ``bench time`` writes one record per system


def timed_here(
    request: Request, board: Sequence[Stored], protocols: Mapping[str, Protocol], notes: list[str]
) -> list[list[BoardRow]]:
    """Groups of rows timed on this machine: those of the board's records, then timings, the most similar data first."""
    name, data = this_machine(), board[0].record["dataset"]
    timings, damaged = read_records(request.runs / TIMINGS, request.runs)
    notes += map(str, damaged)
    parts = sections([item for item in timings if _matches(item, name, data["classes"])])

    def likeness(part: Sequence[Stored]) -> tuple[bool, bool, str]:
        record = part[0].record
        newest = max(str(item.record.get("started_at")) for item in part)
        return record["dataset"]["name"] == data["name"], record["scale"] == request.scale, newest

    own = [item for item in board if machine_of(item) == name]
    return [board_rows(part, protocols) for part in [own, *sorted(parts, key=likeness, reverse=True)]]


def timing_of(row: BoardRow, runtime: str, timed: Sequence[Sequence[BoardRow]]) -> BoardRow | None:
    """The first row timed here in this runtime whose system costs the same; the same system goes before others."""
    for group in timed:
        for other in sorted(group, key=lambda one: one.system != row.system):
            if other[f"latency@{runtime}"].value is not None and _costs_the_same(row, other):
                return other
    return None


def check_timed(rows: Sequence[BoardRow], timed: Sequence[Sequence[BoardRow]], request: Request, dataset: str) -> None:
    """Refuse a board of which no row was timed here.

    Raises:
        ChoiceError: names the command that times the board's rows.
    """
    if not any(_costs_the_same(row, other) for group in timed for other in group for row in rows):
        raise ChoiceError(
            f"--here: no timing on this machine, {this_machine()}, of the systems of suite {request.suite} on "
            f"{dataset}; make them: {time_command(request.suite, dataset, request.scale, request.leaderboards)}"
        )


def this_machine() -> str:
    """The name of this machine in records."""
    from bench.records.provenance import machine  # loads importlib.metadata, which choosing from a board does without

    return str(machine()["name"])


def _matches(item: Stored, name: str, classes: int) -> bool:
    data = item.record["dataset"]
    return machine_of(item) == name and bool(data) and data["classes"] == classes


def _costs_the_same(row: BoardRow, other: BoardRow) -> bool:
    """Same architecture; with early exits, the same system, trained or timed at the exit rates of its record."""
    name = base_name(row.system)
    if base_name(other.system) != name:
        return False
    architecture = name.partition(":")[0]
    known = architecture in ARCHITECTURES.names()
    if known and "HEADS" in ARCHITECTURES.literals(architecture):
        at_rates = all(item.record.get("exit_rates") is not None for item in other.records)
        return other.system == row.system and (other.trained or at_rates)
    return True
