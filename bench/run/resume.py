"""Finds which results of an earlier run can be reused, row by row, and what remains to do.

A row keeps its record when that is whole and of the same training; it keeps its training when the weights are still
there, in its own folder below ``runs/`` or in that of another suite that has trained the same.
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from bench.plugins import MEASUREMENTS, figures, measurement_of
from bench.records.load import check_shape
from bench.records.predictions import FILE
from bench.records.provenance import machine
from bench.records.record import RecordError, read_record, record_path
from bench.run.plan import Plan
from bench.run.retrain import retraining_settings
from bench.system import System
from datamodules._files import sha256

Record = dict[str, Any]
KEY = ("dataset", "recipe", "system", "seed", "scale")  # facts of a record; other values are another training
# Facts of a retraining; other values are another retraining.
RETRAINING_KEY = ("method", "optimizer", "schedule", "batch", "epochs", "loss", "layers")
BEGUN, TRAINED = "begun.json", "trained.json"  # files in a row's folder: the key of its training; what it ended with


@dataclass(frozen=True)
class ResumeState:
    """What an earlier run has left of a row.

    Attributes:
        facts: what its record says before anything is made: where it lies, data, recipe, weights supplied by the user,
            settings of retraining.
        record: the record of the same training; empty where there is none.
        current: measurements of that record that need not be made again.
        trained: what the training said when it ended, if its weights and predictions are still there; else None.
        todo: the least that makes the row's record whole and current.
        folder: where weights and predictions lie: the row's own folder, or that of another suite.
        error: why the row cannot be made; None where it can.
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
    """The state of every row of a plan.

    A plug-in whose settings cannot be read is the ``error`` of its row.

    Raises:
        RecordError: a file in the way is no record of this schema.
    """
    found: dict[Row, ResumeState] = {}
    for system, seed in sorted(plan.rows, key=lambda row: -row[0].generation):  # children tell what parents must have
        children = [state for (one, other), state in found.items() if one.parent == system and other == seed]
        wanted = any(child.todo == "train" and child.error is None for child in children)
        found[system, seed] = resume_state(plan, system, seed, weights_wanted=wanted)
    return found


def resume_state(plan: Plan, system: System, seed: int, weights_wanted: bool = False) -> ResumeState:
    """The state of one row.

    Args:
        plan: of the run.
        system: of the row.
        seed: of the row.
        weights_wanted: whether another row is to be made from this one's weights, which then must lie in its folder.

    Raises:
        RecordError: a file in the way is no record of this schema.
    """
    facts = _place(plan, system, seed)
    path = record_path(plan.request.out / "results", facts)
    record = read_record(path) if path.exists() else {}  # an unreadable file is in the way of a fresh run too
    try:
        facts |= _recipe_facts(plan, system)
        key = training_key(facts)
        same = bool(record) and training_key(record) == key
        if plan.request.fresh:
            return ResumeState(facts, record if same else {})
        return _state(plan, system, seed, facts, key, record if same else {}, path, weights_wanted)
    except RecordError:
        raise
    except Exception as error:  # a plug-in's settings that recipes do not have
        return ResumeState(facts, error=error)


def training_key(facts: Mapping[str, Any]) -> Record:
    """What tells one training from another, of a record or of the facts that it will have."""
    # Older records do not name the data's plug-in.
    data = {name: value for name, value in (facts.get("dataset") or {}).items() if name != "plugin"}
    given = {"given": facts["given"]["sha256"]} if facts.get("given") else {}
    return {**{name: facts.get(name) for name in KEY}, "dataset": data, **given, **_retraining_key(facts)}


def copy_training(state: ResumeState, folder: Path) -> None:
    """Copy the training that was found into a row's own folder, where it lies in another suite's."""
    if state.folder is not None and state.folder != folder:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(state.folder, folder, ignore=shutil.ignore_patterns("predictions@*", "exported"))


def begun_key(folder: Path) -> Record | None:
    """The key of the training whose files lie in a folder; None where that is not known."""
    try:
        key: Record = json.loads((folder / BEGUN).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return key


def _place(plan: Plan, system: System, seed: int) -> Record:
    """Where a record lies, and what it is of."""
    info = plan.datamodule.info
    plugin = plan.request.dataset or plan.suite.dataset
    data = {
        "name": info.name, "synthetic": info.synthetic, "fingerprint": plan.datamodule.fingerprint,
        "classes": info.classes, **info.sizes, **({"note": info.note} if info.note else {}),
        **({"plugin": plugin} if plugin != info.name else {}),  # what --dataset takes
    }  # fmt: skip
    names = {"suite": plan.request.suite, "scale": plan.request.scale, "system": system.name, "seed": seed}
    return {**names, "machine": machine(), "dataset": data}


def _recipe_facts(plan: Plan, system: System) -> Record:
    """How a row is trained: its recipe as it reads back from a record, weights supplied by the user, retraining."""
    recipe, weights, storage = plan.recipe(system), plan.pretrained_weights(system), system.storage
    return {
        "recipe": json.loads(json.dumps(recipe.as_dict())),
        **({"given": {"file": weights.name, "sha256": sha256(weights)}} if weights else {}),
        **({"retraining": retraining_settings(plan, storage, recipe)} if storage and storage.learned else {}),
    }


def _retraining_key(facts: Mapping[str, Any]) -> Record:
    """What tells one retraining from another; nothing of a row that does not retrain."""
    said = facts.get("retraining") or {}
    if not said:
        return {}
    images = said.get("unlabelled") or {}
    return {
        "retraining": {
            **{name: said.get(name) for name in RETRAINING_KEY},
            "rates": [rate["lr"] for rate in said.get("rates") or ()],
            "unlabelled": {name: images.get(name) for name in ("name", "fingerprint", "draws")},
        }
    }


def _state(
    plan: Plan, system: System, seed: int, facts: Record, key: Record, record: Record, path: Path, weights_wanted: bool
) -> ResumeState:
    """The state of a row that is not to be measured afresh; ``record`` is empty where there is none of its training."""
    parent = sha256(plan.folder(system.parent, seed) / system.parent.weights_file) if system.parent else None
    own = plan.folder(system, seed)
    folder, trained = _training(plan.request.runs, own, system.weights_file, key, parent)
    todo: Literal["measure", "train"] = "train" if trained is None else "measure"
    if not record or not _is_made_of(parent, record):
        return ResumeState(facts, {}, {}, trained, todo, folder)
    check_shape(record, path)
    current = {name: value for name, value in record["measurements"].items() if _is_current(name, value, plan)}
    named = (figure for name in plan.measurements(system) for figure in figures(name))
    wanted = {*named, *(f"{name}@{runtime}" for runtime, name in plan.deployed(system))}
    whole = record["status"] != "failed" and wanted <= set(current)
    if whole and not (weights_wanted and folder != own):
        return ResumeState(facts, record, current, trained, "nothing", folder)
    return ResumeState(facts, record, current, trained, todo, folder)


def _is_current(name: str, found: Mapping[str, Any], plan: Plan) -> bool:
    """Whether a figure is made by today's protocol: a value, or operators that nobody can count."""
    measurement = measurement_of(name, plan.suite.measurements)
    if measurement is None or found.get("version") != str(MEASUREMENTS.load(measurement).VERSION):
        return False
    return found.get("value") is not None or bool(found.get("incomplete"))


def _is_made_of(parent: str | None, said: Mapping[str, Any]) -> bool:
    """Whether a row was made of these weights of its parent, by their SHA-256; None where they are not there."""
    return parent is None or (said.get("parent") or {}).get("checkpoint_sha256") == parent


def _training(
    runs: Path, own: Path, weights_file: str, key: Record, parent: str | None
) -> tuple[Path | None, Record | None]:
    """The folder of a finished training of this key, and what it said: a row's own, else that of another suite."""
    others = sorted(runs.glob(Path("*", *own.relative_to(runs).parts[1:]).as_posix()))
    for folder in (own, *others):
        trained = read_training(folder, weights_file, key)
        if trained is not None and _is_made_of(parent, trained):
            return folder, trained
    return None, None


def read_training(folder: Path, weights_file: str, key: Record) -> Record | None:
    """What a finished training of this key said, if its weights and predictions lie in the folder; else None."""
    try:
        if begun_key(folder) != key or not (folder / FILE).exists():
            return None
        said: Record = json.loads((folder / TRAINED).read_text(encoding="utf-8"))
        return said if said["checkpoint_sha256"] == sha256(folder / weights_file) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None  # never finished, or damaged
