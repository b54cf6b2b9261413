"""What an earlier run left of a row, and so what this run has still to do: one answer for the run and its estimate."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bench.plugins import MEASUREMENTS, figures, measurement_of
from bench.records.load import check_shape
from bench.records.predictions import FILE
from bench.records.provenance import machine
from bench.records.record import read_record, record_path
from bench.run.plan import Plan
from bench.run.retrain import settings
from bench.system import System
from datamodules._files import sha256

Record = dict[str, Any]
KEY = ("dataset", "recipe", "system", "seed", "scale")  # another one is another training
LEARNING = ("method", "optimizer", "schedule", "batch", "epochs", "loss", "layers")  # and another retraining
BEGUN, TRAINED = "begun.json", "trained.json"


@dataclass(frozen=True)
class Left:
    """What is there of a row.

    Attributes:
        record: the record of the same training; empty where there is none.
        current: its measurements that need not be taken again.
        trained: what the training said when it ended, if its weights and predictions are still there; else None.
        folder: where these lie: the row's own, or that of another suite that has trained the same.
        todo: the least that makes the row's record whole and current.
    """

    record: Record
    current: dict[str, Any]
    trained: Record | None
    todo: Literal["nothing", "measure", "train"]
    folder: Path | None = None


def identity(plan: Plan, system: System, seed: int) -> Record:
    """The part of a row's record that says where it lies and, under KEY, which training it is.

    Raises:
        Exception: whatever a plug-in raises whose settings cannot be read.
    """
    row = {**place(plan, system, seed), "dataset": dataset(plan), "recipe": recipe(plan, system)}
    return row | beforehand(plan, system)


def place(plan: Plan, system: System, seed: int) -> Record:
    """What a record's path is made of."""
    names = {"suite": plan.request.suite, "scale": plan.request.scale, "system": system.name, "seed": seed}
    return {**names, "machine": machine(), "dataset": {"name": plan.datamodule.info.name}}


def dataset(plan: Plan) -> Record:
    """The data as a record states them; ``plugin`` is what --dataset takes, where that is not the name itself."""
    info = plan.datamodule.info
    plugin = plan.request.dataset or plan.suite.dataset
    return {
        "name": info.name, "synthetic": info.synthetic, "fingerprint": plan.datamodule.fingerprint,
        "classes": info.classes, **info.sizes, **({"note": info.note} if info.note else {}),
        **({"plugin": plugin} if plugin != info.name else {}),
    }  # fmt: skip


def recipe(plan: Plan, system: System) -> Record:
    """The recipe as it reads back from a record: lists for tuples."""
    settings: Record = json.loads(json.dumps(plan.recipe(system).as_dict()))
    return settings


def beforehand(plan: Plan, system: System) -> Record:
    """What a record says of its row before it is made: ``given``, its weights, and ``retraining``, where it has any."""
    path = plan.given_to(system)
    return {
        **({"given": {"file": path.name, "sha256": sha256(path)}} if path else {}),
        **({"retraining": settings(plan, system)} if system.learned else {}),
    }


def training_key(row: Mapping[str, Any]) -> Record:
    """Which training a row is of; older records do not name the data's plug-in."""
    data = {name: value for name, value in (row.get("dataset") or {}).items() if name != "plugin"}
    given = {"given": row["given"]["sha256"]} if row.get("given") else {}
    learning = _learning_key(row.get("retraining") or {})
    return {**{name: row.get(name) for name in KEY}, "dataset": data, **given, **learning}


def _learning_key(said: Mapping[str, Any]) -> Record:
    """What tells one way of learning again from another; nothing of a row that does not."""
    if not said:
        return {}
    images = said.get("unlabelled") or {}
    return {
        "retraining": {
            **{name: said.get(name) for name in LEARNING},
            "rates": [rate["lr"] for rate in said.get("rates") or ()],
            "unlabelled": {name: images.get(name) for name in ("name", "fingerprint", "draws")},
        }
    }


def left(plan: Plan, system: System, seed: int) -> Left:
    """What an earlier run left of a row.

    Raises:
        RecordError: a file in the way is no record of this schema.
        Exception: whatever a plug-in raises whose settings cannot be read.
    """
    path = record_path(plan.request.out / "results", place(plan, system, seed))
    found = read_record(path) if path.exists() else {}  # what cannot be read is in the way of a fresh run too
    key = training_key(identity(plan, system, seed))
    same = bool(found) and training_key(found) == key
    if plan.request.fresh:
        return Left(found if same else {}, {}, None, "train")
    folder, trained = _training(plan, system, seed, key)
    todo: Literal["measure", "train"] = "train" if trained is None else "measure"
    if not same or not _of_parent(plan, system, seed, found):
        return Left({}, {}, trained, todo, folder)
    check_shape(found, path)
    current = {name: value for name, value in found["measurements"].items() if _is_current(name, value, plan)}
    own = (figure for name in plan.measurements(system) for figure in figures(name))
    wanted = {*own, *(f"{name}@{runtime}" for runtime, name in plan.deployed(system))}
    awaited = folder != plan.folder(system, seed) and _awaited(plan, system, seed)
    if found["status"] != "failed" and wanted <= set(current) and not awaited:
        return Left(found, current, trained, "nothing", folder)
    return Left(found, current, trained, todo, folder)


def take_over(found: Left, folder: Path) -> None:
    """Copy the training that was found into a row's own folder, where it lies in another suite's."""
    if found.folder is not None and found.folder != folder:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(found.folder, folder, ignore=shutil.ignore_patterns("predictions@*", "exported"))


def is_trained(plan: Plan, system: System, seed: int) -> bool:
    """Whether the weights and answers of a row's training are there."""
    key = training_key(identity(plan, system, seed))
    return _trained(plan, system, seed, plan.folder(system, seed), key) is not None


def begun(folder: Path) -> Record | None:
    """The key of the training whose files lie in a folder; None where that is not known."""
    try:
        key: Record = json.loads((folder / BEGUN).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return key


def _is_current(name: str, found: Mapping[str, Any], plan: Plan) -> bool:
    """Whether another look would give the same: a value, or operators that no one can count, by today's protocol."""
    taken_by = measurement_of(name, plan.suite.measurements)
    if taken_by is None or found.get("version") != str(MEASUREMENTS.load(taken_by).VERSION):
        return False
    return found.get("value") is not None or bool(found.get("incomplete"))


def _awaited(plan: Plan, system: System, seed: int) -> bool:
    """Whether a row of the plan is still to be made from this one's weights."""
    return any(one.parent == system and left(plan, one, seed).todo == "train" for one in plan.systems)


def _of_parent(plan: Plan, system: System, seed: int, said: Mapping[str, Any]) -> bool:
    """Whether a row was made from the weights that its parent has now, as far as they are there."""
    weights = plan.folder(system.parent, seed) / system.parent.weights_file if system.parent else None
    if weights is None or not weights.exists():
        return True
    return bool((said.get("parent") or {}).get("checkpoint_sha256") == sha256(weights))


def _training(plan: Plan, system: System, seed: int, key: Record) -> tuple[Path | None, Record | None]:
    """Where a finished training of this key lies and what it said: the row's own first, then those of other suites."""
    own = plan.folder(system, seed)
    below = own.relative_to(plan.request.runs)
    others = sorted(plan.request.runs.glob(Path("*", *below.parts[1:]).as_posix()))
    for folder in (own, *others):
        trained = _trained(plan, system, seed, folder, key)
        if trained is not None:
            return folder, trained
    return None, None


def _trained(plan: Plan, system: System, seed: int, folder: Path, key: Record) -> Record | None:
    try:
        if begun(folder) != key or not (folder / FILE).exists():
            return None
        said: Record = json.loads((folder / TRAINED).read_text(encoding="utf-8"))
        same = said["checkpoint_sha256"] == sha256(folder / system.weights_file)
        return said if same and _of_parent(plan, system, seed, said) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None  # never finished, or damaged
