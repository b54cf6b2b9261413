"""Runs suite ``performance``: each row is the ratio of two programs, measured in one run."""

import argparse
import time
from typing import Any

from rich.console import Console

from bench.plugins import COMPARISONS, SUITES
from bench.records.provenance import provenance
from bench.records.record import Measurement, new_record, read_record, record_path, write_record
from bench.run.measure import describe
from bench.run.plan import Request
from bench.suites._base import Suite
from datamodules._errors import UsageError


def refuse_unused(options: argparse.Namespace) -> None:
    """Raise UsageError for options without effect: comparisons fix data, networks and seeds, and run on the CPU."""
    flags = {
        "--dataset": options.dataset, "--data-root": options.data_root, "--unlabelled": options.unlabelled,
        "--weights": options.weights, "--runtime": options.runtime, "--seed": options.seed is not None,
        "--seeds": options.seeds, "--accelerator": options.accelerator != "auto", "--dry-run": options.dry_run,
        "--wandb": options.wandb != "off", "--glyphs": options.glyphs, "--from": options.start,
        "--per-class": options.per_class,
    }  # fmt: skip
    if unused := [flag for flag, value in flags.items() if value]:
        raise UsageError(f"suite {options.suite} compares programs; it takes no {', '.join(unused)}")


def run_comparisons(request: Request, console: Console) -> list[dict[str, Any]]:
    """Measure every comparison without a current record.

    Raises:
        UsageError: a scale that the suite does not have.
        UnknownPlugin: an unknown comparison; the message lists the known ones.
    """
    suite: Suite = SUITES.load(request.suite).SUITE
    if request.scale not in suite.scales:
        raise UsageError(f"suite {request.suite} has no scale {request.scale}; known: {', '.join(suite.scales)}")
    names = request.systems or tuple(COMPARISONS.names())
    for name in names:
        COMPARISONS.check(name)
    records = []
    for number, name in enumerate(names, 1):
        console.print(f"{number}/{len(names)}  {name}", highlight=False)
        records.append(_row(request, name))
    return records


def _row(request: Request, name: str) -> dict[str, Any]:
    module = COMPARISONS.load(name)
    record = new_record(
        name, suite=request.suite, scale=request.scale, status="whole", weights=None, seed=request.seeds[0],
        goal=module.GOAL, **provenance(request.command),
    )  # fmt: skip
    path = record_path(request.out / "results", record)
    if path.exists() and not request.fresh:
        stored = read_record(path)
        if stored["status"] == "whole" and stored["measurements"]["ratio"]["version"] == module.VERSION:
            return stored
    started = time.monotonic()
    try:
        ratio: Measurement = module.compare()
        record["measurements"]["ratio"] = ratio.as_dict("ratio", module.VERSION)
        sign = -1 if getattr(module, "BETTER", "lower") == "higher" else 1
        met = ratio.value is not None and sign * ratio.value <= sign * module.LIMIT
        record["verdict"] = "met" if met else "missed"
    except Exception as error:
        record.update(status="failed", error=describe(error))
    record["seconds"]["measure"] = round(time.monotonic() - started, 1)
    write_record(request.out / "results", record)
    return record
