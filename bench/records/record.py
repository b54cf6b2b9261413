"""Records: reads and writes the JSON file that holds the measurements and the provenance of one row.

One record is one system, trained once (one seed), on one data set, at one scale, measured on one machine:
``results/<suite>/<dataset>/<system>@<machine>-<scale>-s<seed>.json``.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datamodules._errors import BenchError
from datamodules._files import write_whole

SCHEMA = 1
RANKED = ("accuracy", "macs", "params", "size_bytes", "latency")  # a record is ``whole`` if all five have a value


class RecordError(BenchError):
    """A file below ``results`` that is not a record of this schema; names the file and the next step."""


@dataclass(frozen=True)
class Measurement:
    """One figure.

    Attributes:
        value: in the measurement's UNIT, such as ns, byte or ratio; None if it could not be measured.
        detail: further fields of its entry in the record: n, interval, quartiles, error …
    """

    value: float | int | None
    detail: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self, unit: str, version: str) -> dict[str, Any]:
        """Its entry in a record."""
        return {"version": version, "unit": unit, "value": self.value, **self.detail}


def new_record(system: str, **facts: Any) -> dict[str, Any]:
    """A new, partial record without measurements; ``facts`` are known fields by their keys, the others are null.

    ``bench.records.provenance`` supplies some facts. In suite ``performance``, ``system`` is the name of a comparison.
    """
    empty = {
        "schema": SCHEMA, "suite": None, "scale": None, "status": "partial", "error": None, "parent": None,
        "dataset": None, "system": system, "weights": "trained", "seed": 0, "recipe": None, "precision": None,
        "checkpoint_sha256": None,
    }  # fmt: skip
    return {**empty, **facts, "measurements": facts.get("measurements", {})}


def file_name(system: str, machine: str, scale: str, seed: int) -> str:
    """A record's file name: ``fire--gwap__paper@amd-epyc-2c-quick-s0.json``."""
    return f"{slug_system(system)}@{machine}-{scale}-s{seed}.json"


def slug_system(system: str) -> str:
    """A system's name in file and artifact names: ``fire:gwap+paper`` -> ``fire--gwap__paper``."""
    return system.replace(":", "--").replace("+", "__")


def record_path(results: Path, record: Mapping[str, Any]) -> Path:
    """The path of a record below the folder ``results``."""
    dataset = record["dataset"]["name"] if record["dataset"] else "none"
    name = file_name(record["system"], record["machine"]["name"], record["scale"], record["seed"])
    return results / str(record["suite"]) / str(dataset) / name


def status_of(measurements: Mapping[str, Mapping[str, Any]]) -> str:
    """``whole`` if every measurement in RANKED has a value, else ``partial``."""
    return "partial" if any(measurements.get(name, {}).get("value") is None for name in RANKED) else "whole"


def write_record(results: Path, record: Mapping[str, Any]) -> Path:
    """Write a record atomically below ``results``, in place of an earlier one, and return its path.

    Raises: RecordError: the existing file is not a record of this schema; it is kept.
    """
    path = record_path(results, record)
    if path.exists():
        read_record(path)  # never overwrite an unreadable file
    write_whole(path, (json.dumps(record, indent=1, ensure_ascii=False) + "\n").encode())
    return path


def read_record(path: Path) -> dict[str, Any]:
    """Read one record.

    Raises: RecordError: unreadable, of another schema, or without a required key.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise RecordError(f"{path}: not a readable record ({error}); repair it or move it away") from error
    if not isinstance(record, dict) or record.get("schema") != SCHEMA:
        found = record.get("schema") if isinstance(record, dict) else type(record).__name__
        raise RecordError(f"{path}: wanted schema {SCHEMA}, got {found}; move it away, then run again")
    missing = {"suite", "scale", "status", "system", "seed", "machine", "measurements"} - set(record)
    if missing:
        raise RecordError(f"{path}: lacks {', '.join(sorted(missing))}; move it away, then run again")
    return record


def slug(text: str) -> str:
    """Lower-case words joined by hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
