"""Selects the records that ``bench choose`` compares: one data set, one scale, one machine."""

from collections.abc import Sequence
from pathlib import Path

from bench.plugins import DATASETS, SUITES
from bench.records.load import Stored, read_stored
from bench.records.rows import sections
from datamodules._errors import BenchError

BOARDS = Path("leaderboards")  # where ``bench run`` writes records at every scale except smoke


class ChoiceError(BenchError):
    """A suite without recognisers, no matching records, or records of several machines; names the next step."""


def candidate_records(
    leaderboards: Path, suite: str, dataset: str | None, scale: str, machine: str | None, notes: list[str]
) -> list[Stored]:
    """The records to choose from, at least one; arguments as for ``bench.records.choose.choose_from``.

    Appends to ``notes`` which records were left out and why.

    Raises:
        UnknownPlugin: no such suite.
        ChoiceError: a suite without recognisers, no matching records, or several machines and none named.
    """
    SUITES.check(suite)
    settings = SUITES.load(suite).SUITE
    if settings.kind == "comparisons":
        raise ChoiceError(
            f"--suite {suite}: compares programs and has no recognisers to choose from; see: bench list suites"
        )
    stored = _newest_section(leaderboards, suite, dataset or str(settings.dataset), scale, notes)
    names = sorted({item.record["machine"]["name"] for item in stored})
    if machine is None and len(names) > 1:
        raise ChoiceError(f"records of several machines, whose latencies do not compare: --machine {'|'.join(names)}")
    if machine is not None and machine not in names:
        raise ChoiceError(f"--machine {machine}: no record of it; there are: {', '.join(names)}")
    return [item for item in stored if item.record["machine"]["name"] == (machine or names[0])]


def _newest_section(leaderboards: Path, suite: str, dataset: str, scale: str, notes: list[str]) -> list[Stored]:
    """The records of one data set name and scale; the most recent ones if the data behind the name changed."""
    every, damaged = read_stored(leaderboards)
    notes += map(str, damaged)
    of_suite = [item for item in every if item.record["suite"] == suite and item.record["dataset"]]
    named = [item for item in of_suite if item.record["dataset"]["name"] == dataset and item.record["scale"] == scale]
    if not named:
        names = sorted({f"{item.record['dataset']['name']} at {item.record['scale']}" for item in of_suite})
        have = f"there are: {', '.join(names)}" if names else f"none of suite {suite} in {leaderboards}"
        have = have if leaderboards.is_dir() else f"there is no folder {leaderboards}"
        command = _run_command(leaderboards, suite, dataset, scale, of_suite)
        raise ChoiceError(f"no records of {dataset} at scale {scale}; {have}; make them: {command}")
    parts = sections(named)
    newest = max(parts, key=lambda part: max(str(item.record.get("started_at")) for item in part))
    if len(parts) > 1:
        count = len(named) - len(newest)
        notes.append(f"{count} records of other data under the name {dataset} are left out: another fingerprint")
    return newest


def _run_command(leaderboards: Path, suite: str, dataset: str, scale: str, stored: Sequence[Stored]) -> str:
    """The command that makes records of this data set; ``DIR`` stands for the user's own files."""
    known = [item.record["dataset"].get("plugin") for item in stored if item.record["dataset"]["name"] == dataset]
    plugin = next(filter(None, known), dataset if dataset in DATASETS.names() else "image_folder")
    data = plugin if DATASETS.literals(plugin).get("SYNTHETIC") else f"{plugin} --data-root DIR"
    if plugin != dataset:  # records of an image folder are named after the folder
        data = f"{plugin} --data-root {dataset}"
    out = "" if leaderboards == BOARDS and scale != "smoke" else f" --out {leaderboards}"
    return f"bench run --suite {suite} --dataset {data} --scale {scale}{out}"
