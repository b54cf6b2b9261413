"""The commands that ``bench choose`` prints: train a system, export it, or time the rows of a board."""

import re
import shlex
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from bench.plugins import DATASETS, INT8, SUITES, W8, exported_name
from bench.records.predictions import EXPORTED, row_folder
from bench.records.record import slug_system
from bench.suites._base import Suite
from bench.system import System, parse_system
from datamodules._files import sha256
from tasks.recipes import GIVEN

BOARDS = Path("leaderboards")  # where ``bench run`` writes records at every scale except smoke
_PER_CLASS = re.compile(r"(.+)-(\d+)-per-class")  # a data set's name with --per-class


def measured_file(runs: Path, record: Mapping[str, Any], runtime: str) -> Path | None:
    """The exported file below ``runs`` that a record's figures in a runtime were measured with; None without it."""
    path = row_folder(runs, record) / EXPORTED / runtime / exported_name(runtime)
    return path if sha256(path) in measured_with(record, runtime) else None


def measured_with(record: Mapping[str, Any], runtime: str) -> set[str]:
    """SHA-256 of the exported files that a record's figures in a runtime were measured with: one, or none."""
    figures = record.get("measurements", {}).items()
    return {one["file_sha256"] for name, one in figures if name.partition("@")[2] == runtime and "file_sha256" in one}


def weights_of(runs: Path, record: Mapping[str, Any]) -> Path | None:
    """The weights of a record below ``runs``; None without them, or if others lie there."""
    path = row_folder(runs, record) / _system(record).weights_file
    return path if path.exists() and sha256(path) == record.get("checkpoint_sha256") else None


def is_here(runs: Path, record: Mapping[str, Any], runtime: str) -> bool:
    """Whether a row's exported file, or the weights to make it from, lie below ``runs``."""
    return measured_file(runs, record, runtime) is not None or weights_of(runs, record) is not None


def export_command(record: Mapping[str, Any], runtime: str, leaderboards: Path) -> str:
    """Exports a row's system; only options that differ from the defaults of ``bench export``."""
    form = next((suffix for suffix in (INT8, W8) if runtime.endswith(suffix)), "")
    out = f"{slug_system(record['system'])}{form}{Path(exported_name(runtime)).suffix}"
    dataset = _suite(record["suite"]).dataset
    options = [("suite", record["suite"], "hccr"), ("dataset", record["dataset"]["name"], dataset),
               ("scale", record["scale"], "quick"), ("seed", record["seed"], 0),
               ("records", leaderboards, BOARDS)]  # fmt: skip
    words = ["bench", "export", record["system"], "--runtime", runtime, "--out", out]
    return shlex.join([*words, *_flags(options)])


def train_command(record: Mapping[str, Any], runtime: str, leaderboards: Path) -> str:
    """Trains and measures one row here, with the data, images and weights that its record's command names."""
    system = _system(record)
    more: list[tuple[str, Any, Any]] = [("system", system.name, None)]
    if runtime not in _suite(record["suite"]).scales[record["scale"]].runtimes:
        more.append(("runtime", runtime, None))
    if system.storage and system.storage.images:
        more.append(("unlabelled", _given(record, "--unlabelled") or f"{system.storage.images}:DIR", None))
    if system.recipe == GIVEN:
        more.append(("weights", _given(record, "--weights") or "DIR", None))
    more.append(("seed", record["seed"], 0))
    name = record["dataset"]["name"]
    words = [*data_options(record), *_flags(more), "--fresh"]
    return run_command(record["suite"], name, record["scale"], leaderboards, record, words)


def data_options(record: Mapping[str, Any]) -> list[str]:
    """The options of a record's command that change its training data or where its training starts."""
    flags = ("--glyphs", "--from", "--per-class")
    return [word for flag in flags for value in _all_given(record, flag) for word in (flag, value)]


def run_command(
    suite: str, dataset: str, scale: str, leaderboards: Path, like: Mapping[str, Any] | None = None,
    more: Sequence[str] = (),
) -> str:  # fmt: skip
    """Makes records of a data set as ``like``, a record of it, was made; ``DIR`` stands for the user's own files."""
    if like is not None:
        plugin, root = like["dataset"].get("plugin") or dataset, _given(like, "--data-root")
    elif few := _PER_CLASS.fullmatch(dataset):
        return run_command(suite, few[1], scale, leaderboards, more=["--per-class", few[2], *more])
    elif dataset in DATASETS.names():
        plugin, root = dataset, None if DATASETS.literals(dataset).get("SYNTHETIC") else "DIR"
    else:  # records of an image folder are named after the folder
        plugin, root = "image_folder", dataset
    data = [("dataset", plugin, None if root else _suite(suite).dataset), ("data-root", root, None)]
    usual = leaderboards == BOARDS and scale != "smoke"
    place = [("scale", scale, "quick"), ("out", leaderboards, leaderboards if usual else None)]
    return shlex.join(["bench", "run", "--suite", suite, *_flags(data), *_flags(place), *more])


def time_command(suite: str, dataset: str, scale: str, leaderboards: Path) -> str:
    """Times the rows of a board on this machine."""
    options = [("dataset", dataset, _suite(suite).dataset), ("scale", scale, "quick"), ("out", leaderboards, BOARDS)]
    return shlex.join(["bench", "time", "--suite", suite, *_flags(options)])


def _flags(options: Sequence[tuple[str, Any, Any]]) -> list[str]:
    """The words of (option, value, default), without those at their default."""
    return [word for name, value, default in options if value != default for word in (f"--{name}", str(value))]


def _given(record: Mapping[str, Any], flag: str) -> str | None:
    """The value of an option in a record's command; paths are base names there."""
    return next(iter(_all_given(record, flag)), None)


def _all_given(record: Mapping[str, Any], flag: str) -> list[str]:
    """The values of an option that can be repeated."""
    words = [part for word in shlex.split(str(record.get("command"))) for part in word.split("=", 1)]
    return [value for word, value in pairwise(words) if word == flag]


def _system(record: Mapping[str, Any]) -> System:
    return parse_system(record["system"], _suite(record["suite"]).recipe)


def _suite(name: str) -> Suite:
    suite: Suite = SUITES.load(name).SUITE
    return suite
