"""Loads all records below a folder of boards, and reports the files that are not valid records."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.records.record import RecordError, read_record

_DATASET = ("name", "synthetic", "fingerprint", "classes")
# Fields of a measurement that are numbers or null.
_NUMBERS = ("value", "n", "ci_low", "ci_high", "q25", "q75", "p90", "reference_ns", "ratio_to_reference", "drop")


@dataclass(frozen=True)
class Stored:
    """A record and its path relative to the boards' folder, with forward slashes."""

    path: str
    record: Mapping[str, Any]


def read_stored(leaderboards: Path) -> tuple[list[Stored], list[RecordError]]:
    """All records below ``leaderboards/results`` in path order, and an error for each invalid file."""
    return read_records(leaderboards / "results", leaderboards)


def read_records(folder: Path, base: Path) -> tuple[list[Stored], list[RecordError]]:
    """All records below a folder in path order, with paths relative to ``base``, and an error for each invalid file."""
    stored, damaged = [], []
    for path in sorted(folder.rglob("*.json")):
        try:
            record = read_record(path)
            check_shape(record, path)
        except RecordError as error:
            damaged.append(error)
        else:
            stored.append(Stored(path.relative_to(base).as_posix(), record))
    return stored, damaged


def check_shape(record: Mapping[str, Any], path: Path) -> None:
    """Refuse a record with parts that boards cannot compute with.

    Raises: RecordError: names the file, the part and the next step.
    """
    fault = _fault(record)
    if fault:
        raise RecordError(f"{path}: {fault}; run the row again with --fresh, or move the file away")


def _fault(record: Mapping[str, Any]) -> str:
    dataset, machine, measurements = record.get("dataset"), record["machine"], record["measurements"]
    if dataset is not None:
        if not isinstance(dataset, Mapping) or any(key not in dataset for key in _DATASET):
            return f"wanted a dataset with {', '.join(_DATASET)}, or null"
        if any(not _number(dataset.get(key)) for key in ("classes", "train", "val", "test")):
            return "wanted numbers for the sizes of the dataset"
    if not isinstance(machine, Mapping) or not machine.get("name"):
        return "wanted a machine with a name"
    if not isinstance(measurements, Mapping):
        return "wanted a mapping of measurements"
    for name, figure in measurements.items():
        if not isinstance(figure, Mapping) or any(not _number(figure.get(key)) for key in _NUMBERS):
            return f"measurement {name}: wanted a mapping with numbers"
        ratio = figure.get("ratio_to_reference")
        interval = figure.get("ratio_ci")
        if not _pair(interval) or any(value is not None and value <= 0 for value in (ratio, *(interval or ()))):
            return f"measurement {name}: wanted a positive ratio_to_reference, and two positive numbers for ratio_ci"
        if not _pair(figure.get("drop_ci")):
            return f"measurement {name}: wanted two numbers for drop_ci"
    return ""


def _number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value))


def _pair(value: Any) -> bool:
    return value is None or (isinstance(value, list) and len(value) == 2 and all(map(_number, value)))
