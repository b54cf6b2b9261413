"""Two records side by side: a paired test on the same images, and ratios of what the systems cost."""

import math
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bench.plugins import DATASETS
from bench.records.predictions import FILE, Predictions, read_predictions, row_folder
from bench.records.record import file_name, read_record, record_path, slug
from bench.records.statistics import mcnemar, paired_difference, ratio_of_ratios
from datamodules._errors import BenchError
from tasks.compression.storage import parse_storage
from tasks.recipes import GIVEN

COSTS = ("macs", "params", "size_bytes", "peak_activation_bytes", "latency")


class CompareError(BenchError):
    """Two records that cannot be compared; says why and what to do."""


def compare(a: Mapping[str, Any], b: Mapping[str, Any], runs: Path) -> dict[str, Any]:
    """Compare system B with system A on the same test images.

    Args:
        a: record of the system to start from.
        b: record of the other system, on the same data.
        runs: the folder under which runs keep their predictions.

    Returns: what ``--json`` prints. ``accuracy`` has both values and B - A with its interval; ``paired`` the
        counts and McNemar's p value, or null without stored predictions; ``ratios`` B / A of every cost, with
        an interval for latency; ``notes`` what is missing, and how to get it.

    Raises:
        CompareError: records of other data, or predictions that are not those of the records.
    """
    _same_data(a, b)
    notes: list[str] = []
    paired = _paired(_answers(a, runs, notes), _answers(b, runs, notes))
    values = _value(a, "accuracy"), _value(b, "accuracy")
    known = values[0] is not None and values[1] is not None
    low, high = paired_difference(paired["only_a"], paired["only_b"], paired["n"]) if paired else (None, None)
    if a["scale"] != b["scale"]:
        notes.append(f"trained at different scales: {a['scale']} and {b['scale']}")
    return {
        "a": _identity(a),
        "b": _identity(b),
        "dataset": dict(a["dataset"]),
        "accuracy": {
            "a": values[0],
            "b": values[1],
            "difference": values[1] - values[0] if known else None,
            "ci_low": low,
            "ci_high": high,
        },
        "paired": paired,
        "ratios": {name: _ratio(name, a, b, notes) for name in COSTS},
        "notes": notes,
    }


def paired_accuracy(a: Predictions, b: Predictions) -> dict[str, Any]:
    """Accuracy of B minus that of A on the same images: its 95 % interval, the counts and McNemar's p value.

    Raises:
        CompareError: answers to other images.
    """
    paired = _paired(a, b)
    if paired is None:
        raise CompareError("wanted two sets of answers")
    low, high = paired_difference(paired["only_a"], paired["only_b"], paired["n"])
    difference = (paired["only_b"] - paired["only_a"]) / paired["n"]
    return {"difference": difference, "ci_low": low, "ci_high": high, **paired}


def command_for(record: Mapping[str, Any]) -> str:
    """The command that makes a record's row; ``DIR`` stands for the user's own data."""
    name = record["dataset"]["name"]
    plugin = record["dataset"].get("plugin", name)
    own = plugin != name or "--data-root" in str(record.get("command"))
    data = plugin + (" --data-root DIR" if own else "")
    storage = parse_storage(record["system"].rpartition("+")[2])
    if storage is not None and storage.images:
        kind = next((one for one in DATASETS.names() if slug(one) == storage.images), "image_folder")
        data += f" --unlabelled {kind}" + ("" if DATASETS.literals(kind).get("SYNTHETIC") else ":DIR")
    given = " --weights DIR" if GIVEN in record["system"].split("+") else ""
    row = f"--scale {record['scale']} --system {record['system']} --seed {record['seed']}"
    return f"bench run --suite {record['suite']} --dataset {data}{given} {row}"


def find_record(results: Path, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The record of a row: this machine's, else the only one of another machine.

    Args:
        results: the folder of records.
        wanted: suite, scale, system, seed, and ``dataset`` and ``machine`` with their names.

    Raises:
        CompareError: there is none, or there are several of other machines.
        RecordError: the file is no record.
    """
    own = record_path(results, wanted)
    if own.exists():
        return read_record(own)
    name = file_name(wanted["system"], "*", wanted["scale"], wanted["seed"])
    found = sorted(own.parent.glob(name))
    if len(found) > 1:
        raise CompareError(f"wanted one record of {wanted['system']}, got {'; '.join(map(str, found))}: name the file")
    if found:
        return read_record(found[0])
    beside = sorted(own.parent.glob("*.json"))
    dataset = read_record(beside[0])["dataset"] if beside else wanted["dataset"]
    hint = f"; there are: {', '.join(path.name for path in beside)}" if beside else ""
    again = command_for({**wanted, "dataset": dataset})
    raise CompareError(f"no record {own.name} in {own.parent}{hint}; make it: {again}")


def _same_data(a: Mapping[str, Any], b: Mapping[str, Any]) -> None:
    for record in (a, b):
        if not record.get("dataset"):
            raise CompareError(f"{record['system']}: wanted the record of a recogniser, got one without data set")
    if a["dataset"]["fingerprint"] != b["dataset"]["fingerprint"]:
        found = [f"{r['system']} on {r['dataset']['name']}, {r['dataset']['fingerprint']}" for r in (a, b)]
        raise CompareError(f"wanted two records of the same data, got {'; '.join(found)}; run both on one data set")


def _answers(record: Mapping[str, Any], runs: Path, notes: list[str]) -> Predictions | None:
    """A record's answers; None, and a note, where none are stored."""
    path = row_folder(runs, record) / FILE
    place = f"{record['system']}: {path.relative_to(runs).as_posix()}"
    again = f"make them with: {command_for(record)} --fresh"
    if not path.exists():
        notes.append(f"{place}: no predictions, so no paired test; {again}")
        return None
    try:
        answers = read_predictions(path.parent)
        right = float(answers.correct.mean())
    except (OSError, ValueError, KeyError, IndexError, EOFError, zipfile.BadZipFile) as error:
        raise CompareError(f"{place}: not readable as predictions ({error}); {again}") from error
    recorded = _value(record, "accuracy")
    if recorded is None or not math.isclose(right, recorded, abs_tol=1e-9):
        raise CompareError(f"{place}: accuracy {right:.6f}, but the record says {recorded}: not its own; {again}")
    return answers


def _paired(a: Predictions | None, b: Predictions | None) -> dict[str, Any] | None:
    if a is None or b is None:
        return None
    if not np.array_equal(a.labels, b.labels):
        raise CompareError("the stored predictions are not of the same images in the same order; run both --fresh")
    only_a, only_b = int((a.correct & ~b.correct).sum()), int((b.correct & ~a.correct).sum())
    return {
        "n": len(a.labels),
        "both": int((a.correct & b.correct).sum()),
        "only_a": only_a,
        "only_b": only_b,
        "neither": int((~a.correct & ~b.correct).sum()),
        "p": mcnemar(only_a, only_b),
    }


def _ratio(name: str, a: Mapping[str, Any], b: Mapping[str, Any], notes: list[str]) -> dict[str, Any]:
    """B / A of one cost; of latency through the ratios to the reference network, which all machines share."""
    found = [record["measurements"].get(name, {}) for record in (a, b)]
    key = "ratio_to_reference" if name == "latency" else "value"
    values = [measurement.get(key) for measurement in found]
    nothing = {"a": values[0], "b": values[1], "ratio": None, "ci_low": None, "ci_high": None}
    for record, value in zip((a, b), values, strict=True):
        if not value:
            notes.append(f"{name}: {record['system']} has no value above zero")
            return nothing
    if found[0].get("version") != found[1].get("version"):
        notes.append(f"{name}: measured by different protocol versions; run the older row again")
        return nothing
    ratio, low, high = values[1] / values[0], None, None
    intervals = [measurement.get("ratio_ci") for measurement in found]
    if name == "latency" and all(intervals):
        ratio, low, high = ratio_of_ratios((values[1], *intervals[1]), (values[0], *intervals[0]))
    if any(measurement.get("noisy") for measurement in found):
        notes.append(f"{name}: at least one of the two was timed on a busy machine")
    return {**nothing, "ratio": ratio, "ci_low": low, "ci_high": high}


def _identity(record: Mapping[str, Any]) -> dict[str, Any]:
    keys = ("system", "suite", "scale", "seed")
    return {**{key: record[key] for key in keys}, "machine": record["machine"]["name"]}


def _value(record: Mapping[str, Any], name: str) -> Any:
    return record["measurements"].get(name, {}).get("value")
