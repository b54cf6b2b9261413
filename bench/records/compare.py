"""Compares two records: a paired test on the same test images, and ratios of costs with intervals."""

import math
import shlex
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bench.plugins import DATASETS
from bench.records.deploy_commands import data_options
from bench.records.predictions import FILE, Predictions, read_predictions, row_folder
from bench.records.record import file_name, read_record, record_path, slug
from bench.records.repeatability import Spread, widened
from bench.records.statistics import mcnemar, paired_difference, ratio_of_ratios
from datamodules._errors import BenchError
from tasks.compression.storage import parse_storage
from tasks.recipes import GIVEN

COSTS = ("macs", "params", "size_bytes", "peak_activation_bytes", "latency")


class CompareError(BenchError):
    """Two records that cannot be compared; names the reason and the next step."""


def compare(
    a: Mapping[str, Any], b: Mapping[str, Any], runs: Path, between: Mapping[str, Spread] | None = None
) -> dict[str, Any]:
    """Compare system B with system A on the same test images.

    Args:
        a: record of the baseline system.
        b: record of the other system, on the same data.
        runs: folder of runs, which holds their predictions.
        between: the spread of latencies between runs, by machine, which widens their intervals.

    Returns: what ``--json`` prints. ``accuracy`` has both values and B - A with its 95 % interval; ``paired`` the
        counts and McNemar's p value, null without stored predictions; ``ratios`` B / A of every cost, with an
        interval for latency; ``notes`` what is missing and how to make it.

    Raises: CompareError: records of different data, or predictions that do not match their record.
    """
    _same_data(a, b)
    notes: list[str] = []
    answers_a, answers_b = _answers(a, runs, notes), _answers(b, runs, notes)
    paired = _paired(answers_a, answers_b) if answers_a and answers_b else None
    values = _value(a, "accuracy"), _value(b, "accuracy")
    known = values[0] is not None and values[1] is not None
    low, high = paired_difference(paired["only_a"], paired["only_b"], paired["n"]) if paired else (None, None)
    if a["scale"] != b["scale"]:
        notes.append(f"trained at different scales: {a['scale']} and {b['scale']}")
    return {
        "a": _identity(a), "b": _identity(b), "dataset": dict(a["dataset"]),
        "accuracy": {"a": values[0], "b": values[1], "difference": values[1] - values[0] if known else None,
                     "ci_low": low, "ci_high": high},
        "paired": paired, "ratios": {name: _ratio(name, a, b, between or {}, notes) for name in COSTS}, "notes": notes,
    }  # fmt: skip


def paired_accuracy(a: Predictions, b: Predictions) -> dict[str, Any]:
    """Accuracy of B minus that of A on the same images: its 95 % interval, the counts and McNemar's p value.

    Raises: CompareError: predictions of different images.
    """
    paired = _paired(a, b)
    low, high = paired_difference(paired["only_a"], paired["only_b"], paired["n"])
    difference = (paired["only_b"] - paired["only_a"]) / paired["n"]
    return {"difference": difference, "ci_low": low, "ci_high": high, **paired}


def command_for(record: Mapping[str, Any]) -> str:
    """The command that makes a record's row; ``DIR`` stands for the user's files."""
    name = record["dataset"]["name"]
    plugin = record["dataset"].get("plugin", name)
    rooted = plugin == "image_folder" or "--data-root" in str(record.get("command"))
    data = shlex.join([plugin, *(["--data-root", "DIR"] if rooted else []), *data_options(record)])
    storage = parse_storage(record["system"].rpartition("+")[2])
    if storage is not None and storage.images:
        kind = next((one for one in DATASETS.names() if slug(one) == storage.images), "image_folder")
        data += f" --unlabelled {kind}" + ("" if DATASETS.literals(kind).get("SYNTHETIC") else ":DIR")
    weights = " --weights DIR" if GIVEN in record["system"].split("+") else ""
    row = f"--scale {record['scale']} --system {record['system']} --seed {record['seed']}"
    return f"bench run --suite {record['suite']} --dataset {data}{weights} {row}"


def find_record(results: Path, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The record of a row: that of the wanted machine, else the only one of another machine.

    Args:
        results: the folder of records.
        wanted: suite, scale, system, seed, and ``dataset`` and ``machine`` with their names.

    Raises:
        CompareError: no such record, or several of other machines.
        RecordError: the file is not a record.
    """
    path = record_path(results, wanted)
    if path.exists():
        return read_record(path)
    elsewhere = sorted(path.parent.glob(file_name(wanted["system"], "*", wanted["scale"], wanted["seed"])))
    if len(elsewhere) > 1:
        names = "; ".join(map(str, elsewhere))
        raise CompareError(f"wanted one record of {wanted['system']}, got {names}: name the file")
    if elsewhere:
        return read_record(elsewhere[0])
    neighbours = sorted(path.parent.glob("*.json"))
    dataset = read_record(neighbours[0])["dataset"] if neighbours else wanted["dataset"]
    hint = f"; there are: {', '.join(neighbour.name for neighbour in neighbours)}" if neighbours else ""
    command = command_for({**wanted, "dataset": dataset})
    raise CompareError(f"no record {path.name} in {path.parent}{hint}; make it: {command}")


def _same_data(a: Mapping[str, Any], b: Mapping[str, Any]) -> None:
    for record in (a, b):
        if not record.get("dataset"):
            raise CompareError(f"{record['system']}: wanted the record of a recogniser, got one without data set")
    if a["dataset"]["fingerprint"] != b["dataset"]["fingerprint"]:
        data = [f"{r['system']} on {r['dataset']['name']}, {r['dataset']['fingerprint']}" for r in (a, b)]
        raise CompareError(f"wanted two records of the same data, got {'; '.join(data)}; run both on one data set")


def _answers(record: Mapping[str, Any], runs: Path, notes: list[str]) -> Predictions | None:
    """A record's stored predictions; None and a note if there are none."""
    path = row_folder(runs, record) / FILE
    place = f"{record['system']}: {path.relative_to(runs).as_posix()}"
    again = f"make them with: {command_for(record)} --fresh"
    if not path.exists():
        notes.append(f"{place}: no predictions, so no paired test; {again}")
        return None
    try:
        answers = read_predictions(path.parent)
        accuracy = float(answers.correct.mean())
    except (OSError, ValueError, KeyError, IndexError, EOFError, zipfile.BadZipFile) as error:
        raise CompareError(f"{place}: not readable as predictions ({error}); {again}") from error
    recorded = _value(record, "accuracy")
    if recorded is None or not math.isclose(accuracy, recorded, abs_tol=1e-9):
        raise CompareError(f"{place}: accuracy {accuracy:.6f}, but the record says {recorded}: not its own; {again}")
    return answers


def _paired(a: Predictions, b: Predictions) -> dict[str, Any]:
    if not np.array_equal(a.labels, b.labels):
        raise CompareError("the stored predictions are not of the same images in the same order; run both --fresh")
    only_a, only_b = int((a.correct & ~b.correct).sum()), int((b.correct & ~a.correct).sum())
    return {
        "n": len(a.labels), "both": int((a.correct & b.correct).sum()), "only_a": only_a, "only_b": only_b,
        "neither": int((~a.correct & ~b.correct).sum()), "p": mcnemar(only_a, only_b),
    }  # fmt: skip


def _ratio(
    name: str, a: Mapping[str, Any], b: Mapping[str, Any], between: Mapping[str, Spread], notes: list[str]
) -> dict[str, Any]:
    """B / A of one cost; for latency, of the ratios to the reference network, on one machine."""
    costs = [record["measurements"].get(name, {}) for record in (a, b)]
    values = [cost.get("ratio_to_reference" if name == "latency" else "value") for cost in costs]
    result = {"a": values[0], "b": values[1], "ratio": None, "ci_low": None, "ci_high": None}
    for record, value in zip((a, b), values, strict=True):
        if not value:
            notes.append(f"{name}: {record['system']} has no value above zero")
            return result
    if costs[0].get("version") != costs[1].get("version"):
        notes.append(f"{name}: measured by different protocol versions; run the older row again")
        return result
    ratio, low, high = values[1] / values[0], None, None
    if name == "latency":
        machine, other = (record["machine"]["name"] for record in (a, b))
        if machine != other:
            notes.append(f"{name}: timed on {machine} and on {other}, whose ratios do not compare")
            return result
        if all(cost.get("ratio_ci") for cost in costs):
            spread = between.get(machine, Spread(0.0, 0.0, 0.0))
            ratio, low, high = ratio_of_ratios(_in_another_run(costs[1], spread), _in_another_run(costs[0], spread))
    if any(cost.get("noisy") for cost in costs):
        notes.append(f"{name}: at least one of the two was timed on a busy machine")
    return {**result, "ratio": ratio, "ci_low": low, "ci_high": high}


def _in_another_run(latency: Mapping[str, Any], spread: Spread) -> tuple[float, float, float]:
    """A ratio to the reference with the interval of another run on its machine."""
    ratio, (low, high) = latency["ratio_to_reference"], latency["ratio_ci"]
    return ratio, *widened(ratio, low, high, spread.of("", bool(latency.get("noisy"))))


def _identity(record: Mapping[str, Any]) -> dict[str, Any]:
    return {**{key: record[key] for key in ("system", "suite", "scale", "seed")}, "machine": record["machine"]["name"]}


def _value(record: Mapping[str, Any], name: str) -> Any:
    return record["measurements"].get(name, {}).get("value")
