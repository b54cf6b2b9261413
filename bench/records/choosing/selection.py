"""Selects the records that ``bench choose`` compares: one data set, one scale, one machine."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.plugins import SUITES
from bench.records.deploy_commands import BOARDS, run_command
from bench.records.load import Stored, read_stored
from bench.records.predictions import RUNS
from bench.records.protocols import present_protocols
from bench.records.rows import board_rows, ranked_machine, sections
from datamodules._errors import BenchError


class ChoiceError(BenchError):
    """A suite without recognisers, no matching records, or no record of a machine; names the next step."""


@dataclass(frozen=True)
class Request:
    """What to choose from.

    Attributes:
        suite, scale: of the records.
        dataset: its name in the records; None for the suite's default.
        machine: its name in the records; None for the one that the board ranks.
        runtimes: the only ones to choose from; empty for all.
        real: choose from real handwriting only; without ``dataset``, from the suite's newest.
        here: times and memory are those of this machine.
        leaderboards: folder that contains ``results``.
        runs: folder of weights, exported files and timings.
    """

    suite: str = "hccr"
    dataset: str | None = None
    scale: str = "quick"
    machine: str | None = None
    runtimes: tuple[str, ...] = ()
    real: bool = False
    here: bool = False
    leaderboards: Path = BOARDS
    runs: Path = RUNS


def board_records(request: Request, notes: list[str]) -> list[Stored]:
    """The records of one data set and scale, at least one, of all machines; the newest if its data changed.

    Appends to ``notes`` which records were left out and why.

    Raises:
        UnknownPlugin: no such suite.
        ChoiceError: a suite without recognisers, or no matching records.
    """
    SUITES.check(request.suite)
    settings = SUITES.load(request.suite).SUITE
    if settings.kind == "comparisons":
        raise ChoiceError(
            f"--suite {request.suite}: compares programs and has no recognisers to choose from; see: bench list suites"
        )
    every, damaged = read_stored(request.leaderboards)
    notes += map(str, damaged)
    of_suite = [item for item in every if item.record["suite"] == request.suite and item.record["dataset"]]
    dataset = request.dataset or (_newest_real(of_suite, request) if request.real else str(settings.dataset))
    named = [item for item in of_suite if _place(item) == (dataset, request.scale)]
    wanted = [item for item in named if not (request.real and item.record["dataset"]["synthetic"])]
    if not wanted:
        if named:
            raise ChoiceError(f"--real: {dataset} is synthetic; leave out --dataset to choose from the newest real one")
        raise ChoiceError(_nothing_there(of_suite, dataset, request))
    parts = sections(wanted)
    newest = max(parts, key=lambda part: max(map(_started, part)))
    if len(parts) > 1:
        count = len(wanted) - len(newest)
        notes.append(f"{count} records of other data under the name {dataset} are left out: another fingerprint")
    return newest


def of_one_machine(stored: Sequence[Stored], request: Request) -> list[Stored]:
    """The records of the requested machine; by default that which the board ranks, or, with ``here``, of the most rows.

    Raises:
        ChoiceError: no record of the requested machine.
    """
    rows = Counter(name for name, _ in {(machine_of(item), item.record["system"]) for item in stored})
    names = sorted(rows)
    if request.machine is not None and request.machine not in names:
        raise ChoiceError(f"--machine {request.machine}: no record of it; there are: {', '.join(names)}")
    ranked = None if request.here else ranked_machine(board_rows(stored, present_protocols()))
    machine = request.machine or ranked or max(names, key=lambda name: rows[name])
    return [item for item in stored if machine_of(item) == machine]


def machine_of(item: Stored) -> str:
    """Name of the machine on which a record was measured."""
    return str(item.record["machine"]["name"])


def _newest_real(of_suite: Sequence[Stored], request: Request) -> str:
    real = [i for i in of_suite if not i.record["dataset"]["synthetic"] and i.record["scale"] == request.scale]
    if not real:
        command = run_command(request.suite, "image_folder", request.scale, request.leaderboards)
        raise ChoiceError(
            f"--real: no records of real handwriting in suite {request.suite} at scale {request.scale}; make them: "
            f"{command}"
        )
    return _place(max(real, key=_started))[0]


def _nothing_there(of_suite: Sequence[Stored], dataset: str, request: Request) -> str:
    names = sorted({" at ".join(_place(item)) for item in of_suite})
    have = f"there are: {', '.join(names)}" if names else f"none of suite {request.suite} in {request.leaderboards}"
    have = have if request.leaderboards.is_dir() else f"there is no folder {request.leaderboards}"
    like = next((item.record for item in of_suite if _place(item)[0] == dataset), None)
    command = run_command(request.suite, dataset, request.scale, request.leaderboards, like)
    return f"no records of {dataset} at scale {request.scale}; {have}; make them: {command}"


def _place(item: Stored) -> tuple[str, str]:
    return str(item.record["dataset"]["name"]), str(item.record["scale"])


def _started(item: Stored) -> str:
    return str(item.record.get("started_at"))
