"""``bench time``: times the systems of a board on this machine, with random weights and without training."""

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from bench.deploy.load import IN_FP32
from bench.measurements._deployment import EAGER
from bench.measurements._row import Row
from bench.plugins import SUITES, check_runtimes
from bench.records.choosing.selection import ChoiceError, Request, board_records
from bench.records.choosing.timings import TIMINGS
from bench.records.load import Stored
from bench.records.protocols import present_protocols
from bench.records.provenance import provenance
from bench.records.record import new_record, read_record, record_path, write_record
from bench.run.profile import DEPLOYED, measured_in, random_row, timed_inputs
from bench.system import parse_system
from tasks.early_exits.cascade import cascade_of, every_logits
from tasks.early_exits.exit_rates import policy_at_rates
from tasks.recogniser import save_weights

Record = dict[str, Any]


def records_to_time(request: Request, names: Sequence[str]) -> list[Mapping[str, Any]]:
    """The newest record of one system for each architecture of a board: recipe and seed do not change the cost.

    Systems with early exits each count, because they leave at different rates.

    Args:
        request: suite, dataset and scale of the board.
        names: the only systems to time; empty for all.

    Raises:
        UnknownPlugin: no such suite or system.
        ChoiceError: no records of the board, or a system that it does not have.
    """
    stored = board_records(request, [])
    recipe = SUITES.load(request.suite).SUITE.recipe
    wanted = [parse_system(name, recipe).name for name in names]
    found: dict[str, Mapping[str, Any]] = {}
    for item in sorted(stored, key=_started, reverse=True):
        record = item.record
        system = parse_system(record["system"], recipe)
        if system.storage is not None or record["status"] == "failed" or (wanted and system.name not in wanted):
            continue
        merged = not wanted and "exit_rate" not in record["measurements"]
        found.setdefault(system.architecture if merged else system.name, record)
    for name in wanted:
        if name not in found:
            have = sorted({item.record["system"] for item in stored})
            raise ChoiceError(
                f"--system {name}: wanted a system of this board in float32 whose row did not fail (compressed ones "
                f"cost the same); there are: {', '.join(have)}"
            )
    return list(found.values())


def runtimes_to_time(records: Sequence[Mapping[str, Any]], names: Sequence[str]) -> tuple[str, ...]:
    """Eager and the runtimes of the board's records, or those named."""
    check_runtimes(*names)
    known = {figure.partition("@")[2] or EAGER for record in records for figure in record["measurements"]
             if figure.partition("@")[0] == "latency"}  # fmt: skip
    return tuple(dict.fromkeys(names)) or tuple(sorted(known, key=lambda name: (name != EAGER, name)))


def time_system(
    board: Mapping[str, Any],
    runtimes: Sequence[str],
    runs: Path,
    command: str,
    fresh: bool,
    tell: Callable[[str], None],
) -> Record:
    """Time the system of a board's record in these runtimes, and write the timing's record below ``runs/timings``.

    Figures of an earlier timing that are current are kept; ``tell`` is called with each runtime before it is timed.
    """
    record = _begun(board, command)
    path = record_path(runs / TIMINGS, record)
    if path.exists() and not fresh:
        record["measurements"] = _current(read_record(path), record)
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        row = None
        for runtime in runtimes:
            suffix = "" if runtime == EAGER else f"@{runtime}"
            names = [name for name in DEPLOYED if f"{name}{suffix}" not in record["measurements"]]
            if not names:
                continue
            row = _row(board, Path(folder) / "weights.safetensors") if row is None else row
            tell(runtime)
            record["measurements"] |= measured_in(row, runtime, names)
            record["inputs"] = timed_inputs(row)
            record["seconds"]["measure"] = round(time.monotonic() - started, 1)
            write_record(runs / TIMINGS, record)
    return record


def _begun(board: Mapping[str, Any], command: str) -> Record:
    facts = {name: board[name] for name in ("suite", "scale", "dataset")}
    return new_record(board["system"], weights="random", **facts, **provenance(command), **_like(board))


def _like(record: Mapping[str, Any]) -> Record:
    """What a timing takes from the record of trained weights: exit rates, and layers that int8 leaves in fp32."""
    figures, rates = record["measurements"].items(), _exit_rates(record)
    in_fp32 = {name.partition("@")[2]: one[IN_FP32] for name, one in figures if one.get(IN_FP32)}
    return {IN_FP32: in_fp32, **({} if rates is None else {"exit_rates": rates})}


def _current(stored: Record, record: Record) -> Record:
    """The stored figures that would be measured as ``record`` says, by today's protocols."""
    if any(stored.get(key) != record.get(key) for key in ("dataset", "exit_rates", IN_FP32, "versions")):
        return {}
    protocols, kept = present_protocols(), stored["measurements"]
    return {name: one for name, one in kept.items() if one.get("value") and one["version"] == protocols[name].version}


def _row(board: Mapping[str, Any], weights: Path) -> Row:
    """A row with random weights that has the costs of a record's: exits at its rates, as many layers in fp32."""
    system = parse_system(board["system"], SUITES.load(board["suite"]).SUITE.recipe)
    row = random_row(system.architecture, board["dataset"]["classes"], weights)
    rates = _exit_rates(board)
    network, cascade = row.recogniser.network, cascade_of(row.recogniser.network)
    if cascade is not None and rates is not None:
        images = torch.cat([row.recogniser.preprocess(image) for image in row.characters()])
        with torch.inference_mode():
            logits = [one.float().numpy() for one in every_logits(network, images)]
        average = bool(board["measurements"]["exit_rate"].get("average"))
        row = replace(
            row, recogniser=row.recogniser.with_policy(policy_at_rates(logits, cascade.heads, rates, average))
        )
        save_weights(network, weights)
    in_fp32 = _like(board)[IN_FP32]
    return replace(row, in_fp32={runtime: tuple(stages) for runtime, stages in in_fp32.items()})


def _exit_rates(record: Mapping[str, Any]) -> dict[str, float] | None:
    """The share of characters that leaves at each early head with an exit; None for a network with one head."""
    rate = record["measurements"].get("exit_rate")
    if not rate or rate.get("value") is None:
        return None
    return {name: rate["exits"][name]["value"] for name in rate.get("leaves_at") or {}}


def _started(item: Stored) -> str:
    return str(item.record.get("started_at"))
