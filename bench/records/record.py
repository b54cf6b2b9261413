"""The record of one row: what was measured, on what, by what. JSON on disk, written atomically."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datamodules._errors import BenchError
from datamodules._files import write_whole

SCHEMA = 1
RANKED = ("accuracy", "macs", "params", "size_bytes", "latency")  # all five have a value: the record is whole


class RecordError(BenchError):
    """A file among the results that is no record of this schema."""


@dataclass(frozen=True)
class Measurement:
    """One figure.

    Attributes:
        value: in the measurement's UNIT; None where it could not be had.
        detail: what belongs to it: n, interval, quartiles, error …
    """

    value: float | int | None
    detail: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self, unit: str, version: str) -> dict[str, Any]:
        """As it stands in a record."""
        return {"version": version, "unit": unit, "value": self.value, **self.detail}


def new_record(system: str, **facts: Any) -> dict[str, Any]:
    """A record of a row that is still to be made; facts that are not given are null.

    Args:
        system: name of the row's system, or of its comparison.
        facts: what is known of it already, by the record's keys; ``provenance`` gives some of them.
    """
    blank = {
        "schema": SCHEMA, "suite": None, "scale": None, "status": "partial", "error": None, "parent": None,
        "dataset": None, "system": system, "weights": "trained", "seed": 0, "recipe": None, "precision": None,
        "checkpoint_sha256": None,
    }  # fmt: skip
    return {**blank, **facts, "measurements": facts.get("measurements", {})}


def file_name(system: str, machine: str, scale: str, seed: int) -> str:
    """Name of a record's file: ``fire--gwap__paper@amd-epyc-2c-quick-s0.json``."""
    return f"{slug_system(system)}@{machine}-{scale}-s{seed}.json"


def slug_system(system: str) -> str:
    """A system's name as files and artifacts spell it."""
    return system.replace(":", "--").replace("+", "__")


def record_path(results: Path, record: Mapping[str, Any]) -> Path:
    """Where a record lies below the folder ``results``."""
    dataset = record["dataset"]["name"] if record["dataset"] else "none"
    name = file_name(record["system"], record["machine"]["name"], record["scale"], record["seed"])
    return results / str(record["suite"]) / str(dataset) / name


def status_of(measurements: Mapping[str, Mapping[str, Any]]) -> str:
    """``whole`` when every ranked measurement has a value, else ``partial``."""
    missing = [name for name in RANKED if measurements.get(name, {}).get("value") is None]
    return "partial" if missing else "whole"


def write_record(results: Path, record: Mapping[str, Any]) -> Path:
    """Write a record atomically and return its path.

    Raises:
        RecordError: what lies there is no record of this schema; it is kept.
    """
    path = record_path(results, record)
    if path.exists():
        read_record(path)  # refuse to overwrite what we cannot read
    write_whole(path, (json.dumps(record, indent=1, ensure_ascii=False) + "\n").encode())
    return path


def read_record(path: Path) -> dict[str, Any]:
    """Read one record.

    Raises:
        RecordError: unreadable, or of another schema; names the file, what came and the next step.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise RecordError(f"{path}: not a readable record ({error}); mend it or move it away") from error
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
