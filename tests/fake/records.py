"""Made-up records in the form that a run writes, for tests of what reads them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.plugins import MEASUREMENTS, version_in_runtime
from bench.records.record import status_of, write_record


def record(
    system: str = "lenet5", accuracy: float | None = 0.9, ratio: float | None = 1.0, **changes: Any
) -> dict[str, Any]:
    """One whole record; ``changes`` replace its top-level keys.

    Args:
        accuracy: top-1 on 1,000 test images, with an interval of ±0.01; None for a row without.
        ratio: latency, × a reference of 2 ms, with an interval of ±2 %; None for a row without.
    """
    found: dict[str, Any] = {
        "schema": 1, "suite": "hccr", "scale": "quick", "status": "whole", "error": None, "parent": None,
        "dataset": {
            "name": "synthetic_hwdb", "synthetic": True, "fingerprint": "sha256:0123456789abcdef",
            "classes": 30, "train": 1500, "val": 300, "test": 1000,
        },
        "system": system, "weights": "trained", "seed": 0, "recipe": {"name": "light"},
        "checkpoint_sha256": "00", "commit": "abc", "dirty": False, "command": "bench run --suite hccr",
        "started_at": "2026-11-21T10:00:00+00:00", "seconds": {"train": 1.0, "measure": 1.0},
        "machine": {"name": "cpu-2c", "cpu": "CPU", "cores": 2, "ram_bytes": 8_000_000_000, "os": "Linux"},
        "versions": {"python": "3.11.7", "torch": "2.15.0"},
        "measurements": measurements(accuracy, ratio),
    }  # fmt: skip
    found["status"] = status_of(found["measurements"])
    return {**found, **changes}


def measurements(accuracy: float | None, ratio: float | None) -> dict[str, dict[str, Any]]:
    """A record's measurements, by today's protocols."""
    latency: dict[str, Any] = {"value": None}
    if ratio is not None:
        value = 2e6 * ratio
        latency = {
            "value": value, "n": 60, "q25": 0.95 * value, "q75": 1.1 * value, "p90": 1.5 * value,
            "ratio_to_reference": ratio, "ratio_ci": [0.98 * ratio, 1.02 * ratio], "reference_ns": 2_000_000,
        }  # fmt: skip
    share: dict[str, Any] = {"value": None}
    if accuracy is not None:
        low, high = max(accuracy - 0.01, 0.0), min(accuracy + 0.01, 1.0)
        share = {"value": accuracy, "n": 1000, "ci_low": low, "ci_high": high}
    figures: dict[str, tuple[str, dict[str, Any]]] = {
        "accuracy": ("ratio", share),
        "accuracy_top5": ("ratio", {"value": None if accuracy is None else min(1.0, accuracy + 0.05)}),
        "macs": ("mac", {"value": 51_600_000, "incomplete": []}),
        "params": ("count", {"value": 1_234_567}),
        "size_bytes": ("byte", {"value": 4_950_000}),
        "peak_activation_bytes": ("byte", {"value": 1_048_576}),
        "latency": ("ns", latency),
    }
    return {name: {"version": version(name), "unit": unit, **detail} for name, (unit, detail) in figures.items()}


def in_runtime(
    found: dict[str, Any], runtime: str, ratio: float, accuracy: float | None = None, size_mb: float | None = None,
    memory_mb: float = 70, file: str | None = "f1",
) -> dict[str, Any]:  # fmt: skip
    """A record that was also measured in a runtime, from the exported file with checksum ``file``."""
    one = measurements(accuracy, ratio)
    own = {"latency": one["latency"], "process_bytes": {"unit": "byte", "value": 1e6 * memory_mb}}
    if accuracy is not None:
        own["accuracy"] = one["accuracy"]
    if size_mb is not None:
        own["size_bytes"] = {"unit": "byte", "value": 1e6 * size_mb}
    stamp = {} if file is None else {"file_sha256": file}
    more = {
        f"{name}@{runtime}": {**figure, "version": version_in_runtime(version(name), runtime), **stamp}
        for name, figure in own.items()
    }
    return {**found, "measurements": {**found["measurements"], **more}}


def condition(clean: float, values: Mapping[str, float]) -> dict[str, dict[str, Any]]:
    """Accuracies under conditions beside ``clean``, each with an interval of ±0.01, and its loss with one."""
    own = {"version": version("robustness"), "unit": "ratio", "n": 1000}
    return {
        f"accuracy@{name}": {
            **own, "value": value, "ci_low": value - 0.01, "ci_high": value + 0.01, "drop": clean - value,
            "drop_ci": [clean - value - 0.01, clean - value + 0.01],
        }
        for name, value in values.items()
    }  # fmt: skip


def version(measurement: str) -> str:
    """Of a measurement's protocol, today."""
    return str(MEASUREMENTS.literals(measurement)["VERSION"])


def write(leaderboards: Path, *records: dict[str, Any]) -> None:
    """Store records where boards read them."""
    for found in records:
        write_record(leaderboards / "results", found)
