"""Which records ``bench choose`` considers: of one data set and one machine, where their figures compare."""

from collections.abc import Sequence
from pathlib import Path

from bench.plugins import DATASETS, SUITES
from bench.records.load import Stored, read_stored
from bench.records.rows import sections
from datamodules._errors import BenchError

BOARDS = Path("leaderboards")  # where ``bench run`` puts records, but at scale smoke


class ChoiceError(BenchError):
    """A suite without recognisers, no records to choose from, or those of several machines; says what to do."""


def candidate_records(
    leaderboards: Path, suite: str, dataset: str | None, scale: str, machine: str | None, notes: list[str]
) -> list[Stored]:
    """The records to choose from, at least one.

    Args:
        leaderboards: folder of ``results``.
        suite: whose records.
        dataset: as records name it; None for the suite's own.
        scale: of the records.
        machine: as records name it; None where there is only one.
        notes: is told what is left out.

    Raises:
        UnknownPlugin: no such suite.
        ChoiceError: a suite without recognisers, no such records, or of several machines.
    """
    SUITES.check(suite)
    settings = SUITES.load(suite).SUITE
    if settings.kind == "comparisons":
        raise ChoiceError(
            f"--suite {suite}: compares programs and has no recognisers to choose from; see: bench list suites"
        )
    stored = _named(leaderboards, suite, dataset or str(settings.dataset), scale, notes)
    name = _machine(stored, machine)
    return [item for item in stored if item.record["machine"]["name"] == name]


def _named(leaderboards: Path, suite: str, dataset: str, scale: str, notes: list[str]) -> list[Stored]:
    every, damaged = read_stored(leaderboards)
    notes += [str(error) for error in damaged]
    of_suite = [item for item in every if item.record["suite"] == suite and item.record["dataset"]]
    named = [item for item in of_suite if item.record["dataset"]["name"] == dataset and item.record["scale"] == scale]
    if not named:
        there = sorted({f"{item.record['dataset']['name']} at {item.record['scale']}" for item in of_suite})
        missing = f"there is no folder {leaderboards}" if not leaderboards.is_dir() else ""
        have = missing or (f"there are: {', '.join(there)}" if there else f"none of suite {suite} in {leaderboards}")
        again = _command(leaderboards, suite, dataset, scale, of_suite)
        raise ChoiceError(f"no records of {dataset} at scale {scale}; {have}; make them: {again}")
    parts = sections(named)
    newest = max(parts, key=lambda part: max(str(item.record.get("started_at")) for item in part))
    if len(parts) > 1:
        left = sum(map(len, parts)) - len(newest)
        notes.append(f"{left} records of other data under the name {dataset} are left out: another fingerprint")
    return newest


def _command(leaderboards: Path, suite: str, dataset: str, scale: str, others: Sequence[Stored]) -> str:
    """The command that makes records of these data; ``DIR`` stands for the user's own files."""
    known = [item.record["dataset"].get("plugin") for item in others if item.record["dataset"]["name"] == dataset]
    plugin = next(filter(None, known), dataset if dataset in DATASETS.names() else "image_folder")
    data = plugin if DATASETS.literals(plugin).get("SYNTHETIC") else f"{plugin} --data-root DIR"
    if plugin != dataset:  # records take the name of the folder
        data = f"{plugin} --data-root {dataset}"
    out = "" if leaderboards == BOARDS and scale != "smoke" else f" --out {leaderboards}"
    return f"bench run --suite {suite} --dataset {data} --scale {scale}{out}"


def _machine(stored: Sequence[Stored], wanted: str | None) -> str:
    names = sorted({item.record["machine"]["name"] for item in stored})
    if wanted is None and len(names) > 1:
        raise ChoiceError(
            f"records of several machines, and latencies of one alone compare: --machine {'|'.join(names)}"
        )
    if wanted is not None and wanted not in names:
        raise ChoiceError(f"--machine {wanted}: no record of it; there are: {', '.join(names)}")
    return wanted or names[0]
