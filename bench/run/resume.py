"""Finds which results of an earlier run can be reused, row by row, and what remains to do.

A record is reused if it is whole and of the same training; a training is reused if its weights still exist, in the
row's own folder below ``runs/`` or in the folder of another suite that ran the same training.
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from bench.plugins import MEASUREMENTS, figures, measurement_of, version_in_runtime
from bench.records.load import check_shape
from bench.records.predictions import EXPORTED, FILE
from bench.records.provenance import machine
from bench.records.record import RecordError, read_record, record_path
from bench.run.plan import Plan
from bench.run.retrain import retraining_settings
from bench.system import System
from bench.training.weights_metadata import read_metadata
from datamodules._files import sha256

Record = dict[str, Any]
KEY = ("dataset", "recipe", "system", "seed", "scale")  # entries of a record that identify its training
# Entries that identify a retraining.
RETRAINING_KEY = ("method", "optimizer", "schedule", "batch", "epochs", "loss", "layers")
BEGUN, TRAINED = "begun.json", "trained.json"  # files of a row: its training key; its training's result


@dataclass(frozen=True)
class ResumeState:
    """What can be reused of a row.

    Attributes:
        facts: record entries known before training: names, data, recipe, weights supplied by the user, retraining.
        record: the existing record of the same training; empty if there is none.
        current: measurements of that record that are up to date.
        trained: result of the finished training, if its weights and predictions still exist; else None.
        todo: the least work that makes the record whole and current.
        folder: of weights and predictions: the row's own, or that of another suite.
        error: why the row cannot run; None if it can.
    """

    facts: Record = field(default_factory=dict)
    record: Record = field(default_factory=dict)
    current: Record = field(default_factory=dict)
    trained: Record | None = None
    todo: Literal["nothing", "measure", "train"] = "train"
    folder: Path | None = None
    error: Exception | None = None


Row = tuple[System, int]  # a system and a seed


def resume_states(plan: Plan) -> dict[Row, ResumeState]:
    """The state of every row of a plan; invalid settings of a plug-in are the ``error`` of its row."""
    states: dict[Row, ResumeState] = {}
    for system, seed in sorted(plan.rows, key=lambda row: -row[0].generation):  # children first: they need the weights
        children = [state for (child, s), state in states.items() if child.parent == system and s == seed]
        needed = any(child.todo == "train" and child.error is None for child in children)
        states[system, seed] = resume_state(plan, system, seed, weights_needed=needed)
    return states


def resume_state(plan: Plan, system: System, seed: int, weights_needed: bool = False) -> ResumeState:
    """The state of one row; ``weights_needed``: another row of the run needs this row's weights in its own folder.

    Raises:
        RecordError: an existing file is not a record of this schema.
    """
    facts = _identity(plan, system, seed)
    path = record_path(plan.request.out / "results", facts)
    record = read_record(path) if path.exists() else {}  # even a fresh run must not overwrite an unreadable file
    try:
        facts |= _recipe_facts(plan, system)
        key = training_key(facts)
        same = bool(record) and training_key(record) == key
        if plan.request.fresh:
            return ResumeState(facts, record if same else {})
        return _state(plan, system, seed, facts, key, record if same else {}, path, weights_needed)
    except RecordError:
        raise
    except Exception as error:  # invalid settings of a plug-in
        return ResumeState(facts, error=error)


def training_key(facts: Mapping[str, Any]) -> Record:
    """The entries of a record, or of ``ResumeState.facts``, that identify a training."""
    # Older records lack the dataset's plug-in.
    data = {name: value for name, value in (facts.get("dataset") or {}).items() if name != "plugin"}
    pretrained = {name: facts[name]["sha256"] for name in ("given", "started_from") if facts.get(name)}
    return {**{name: facts.get(name) for name in KEY}, "dataset": data, **pretrained, **_retraining_key(facts)}


def copy_training(state: ResumeState, folder: Path) -> None:
    """Copy a training found in another suite's folder into the row's own folder."""
    if state.folder is not None and state.folder != folder:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(state.folder, folder, ignore=shutil.ignore_patterns("predictions@*", EXPORTED))


def begun_key(folder: Path) -> Record | None:
    """The key of the training in a folder; None if unknown."""
    try:
        key: Record = json.loads((folder / BEGUN).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return key


def _identity(plan: Plan, system: System, seed: int) -> Record:
    """The record entries that name a row, its machine and its data."""
    info = plan.datamodule.info
    plugin = plan.request.dataset or plan.suite.dataset
    data = {
        "name": info.name, "synthetic": info.synthetic, "fingerprint": plan.datamodule.fingerprint,
        "classes": info.classes, **info.sizes, **({"note": info.note} if info.note else {}),
        **({"plugin": plugin} if plugin != info.name else {}),  # the value of --dataset
    }  # fmt: skip
    names = {"suite": plan.request.suite, "scale": plan.request.scale, "system": system.name, "seed": seed}
    return {**names, "machine": machine(), "dataset": data}


def _recipe_facts(plan: Plan, system: System) -> Record:
    """The record entries for training: recipe (as read back from JSON), weights supplied by the user, retraining."""
    recipe, weights, storage = plan.recipe(system), plan.pretrained_weights(system), system.storage
    start = plan.start_weights(system)
    return {
        "recipe": json.loads(json.dumps(recipe.as_dict())),
        **({"given": {"file": weights.name, "sha256": sha256(weights)}} if weights else {}),
        **({"started_from": _start_facts(start)} if start else {}),
        **({"retraining": retraining_settings(plan, storage, recipe)} if storage and storage.learned else {}),
    }


def _start_facts(start: Path) -> Record:
    metadata = read_metadata(start)
    return {"sha256": sha256(start), "dataset": metadata.dataset, "synthetic": metadata.synthetic}


def _retraining_key(facts: Mapping[str, Any]) -> Record:
    """The record entries that identify a retraining; empty without one."""
    retraining = facts.get("retraining") or {}
    if not retraining:
        return {}
    images = retraining.get("unlabelled") or {}
    return {
        "retraining": {
            **{name: retraining.get(name) for name in RETRAINING_KEY},
            "rates": [rate["lr"] for rate in retraining.get("rates") or ()],
            "unlabelled": {name: images.get(name) for name in ("name", "fingerprint", "draws")},
        }
    }


def _state(
    plan: Plan, system: System, seed: int, facts: Record, key: Record, record: Record, path: Path, weights_needed: bool
) -> ResumeState:
    """The state of a row without ``--fresh``; ``record`` is empty if it is of another training."""
    parent = sha256(plan.folder(system.parent, seed) / system.parent.weights_file) if system.parent else None
    row_folder = plan.folder(system, seed)
    folder, trained = _find_training(plan.request.runs, row_folder, system.weights_file, key, parent)
    todo: Literal["measure", "train"] = "train" if trained is None else "measure"
    if not record or not _has_parent(parent, record):
        return ResumeState(facts, {}, {}, trained, todo, folder)
    check_shape(record, path)
    current = {name: value for name, value in record["measurements"].items() if _is_current(name, value, plan)}
    names = (figure for name in plan.measurements(system) for figure in figures(name))
    required = {*names, *(f"{name}@{runtime}" for runtime, name in plan.deployed(system))}
    whole = record["status"] != "failed" and required <= set(current)
    done = whole and not (weights_needed and folder != row_folder)
    return ResumeState(facts, record, current, trained, "nothing" if done else todo, folder)


def _is_current(name: str, result: Mapping[str, Any], plan: Plan) -> bool:
    """Whether a figure has the current VERSION and a value, or a list of operators without a known cost."""
    measurement = measurement_of(name, plan.suite.measurements)
    if measurement is None:
        return False
    version = str(MEASUREMENTS.load(measurement).VERSION)
    if result.get("version") != (
        version if name in figures(measurement) else version_in_runtime(version, name.partition("@")[2])
    ):
        return False
    if plan.request.retime_noisy and result.get("noisy"):
        return False
    return result.get("value") is not None or bool(result.get("incomplete"))


def _has_parent(parent: str | None, entries: Mapping[str, Any]) -> bool:
    """Whether a row derives from the parent weights with this SHA-256; None matches any."""
    return parent is None or (entries.get("parent") or {}).get("checkpoint_sha256") == parent


def _find_training(
    runs: Path, row_folder: Path, weights_file: str, key: Record, parent: str | None
) -> tuple[Path | None, Record | None]:
    """Folder and result of a finished training: in the row's own folder, else in that of another suite."""
    others = sorted(runs.glob(Path("*", *row_folder.relative_to(runs).parts[1:]).as_posix()))
    for folder in (row_folder, *others):
        trained = read_training(folder, weights_file, key)
        if trained is not None and _has_parent(parent, trained):
            return folder, trained
    return None, None


def read_training(folder: Path, weights_file: str, key: Record) -> Record | None:
    """Result of a finished training of this key, if its weights and predictions are in the folder; else None."""
    try:
        if begun_key(folder) != key or not (folder / FILE).exists():
            return None
        trained: Record = json.loads((folder / TRAINED).read_text(encoding="utf-8"))
        return trained if trained["checkpoint_sha256"] == sha256(folder / weights_file) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None  # never finished, or damaged
