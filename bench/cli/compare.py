"""``bench compare``: compares two records by a paired test on the same test images and by ratios of their costs."""

import argparse
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from bench.cli._arguments import Answer, add_record_selection, add_records_folder, seed
from bench.plugins import SUITES
from bench.records import formatting
from datamodules._errors import BenchError

HELP = "compare two records: paired accuracy test and cost ratios"
_LEVEL = 0.05  # significance level of the verdict; matches the 95 % intervals


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    for name in "AB":
        parser.add_argument(name.lower(), metavar=name, help="file of a record, or name of a system")
    add_record_selection(parser)
    parser.add_argument("--seed", type=seed, default=0, metavar="K", help="seed of the records; default 0")
    add_records_folder(parser)


def run(options: argparse.Namespace) -> Answer:
    """Compare two records by their stored per-image predictions."""
    from bench.records.compare import compare
    from bench.records.load import read_stored
    from bench.records.predictions import RUNS
    from bench.records.protocols import present_protocols
    from bench.records.repeatability import between_runs

    a, b = (_find_record(name, options) for name in (options.a, options.b))
    between = between_runs(read_stored(options.out)[0], present_protocols()["latency"].version)
    comparison = compare(a, b, RUNS, between)
    return 0, comparison, format_comparison(comparison)


def format_comparison(comparison: Mapping[str, Any]) -> str:
    """A comparison as lines of text for the terminal."""
    dataset = comparison["dataset"]
    synthetic = " (synthetic data)" if dataset["synthetic"] else ""
    lines = [f"A = {_describe(comparison['a'])}", f"B = {_describe(comparison['b'])}"]
    lines += [f"on {dataset['name']}{synthetic}", *_accuracy_lines(comparison)]
    for name, cost in comparison["ratios"].items():
        if cost["ratio"] is not None:
            text = f"{name}: B / A = {formatting.digits(cost['ratio'])}"
            if cost["ci_low"] is not None:
                text += f" [{formatting.digits(cost['ci_low'])}–{formatting.digits(cost['ci_high'])}]"
            lines.append(text)
    return "\n".join([*lines, *(f"note: {note}" for note in comparison["notes"])])


def _find_record(name: str, options: argparse.Namespace) -> Mapping[str, Any]:
    from bench.boards.render import default_dataset
    from bench.records.compare import find_record
    from bench.records.provenance import machine
    from bench.records.record import read_record
    from bench.system import parse_system

    if name.endswith(".json"):
        return read_record(Path(name))
    SUITES.check(options.suite)
    with suppress(BenchError):  # an unknown name has no record either, which find_record reports
        name = parse_system(name, SUITES.load(options.suite).SUITE.recipe).name
    wanted = {
        "suite": options.suite, "scale": options.scale, "system": name, "seed": options.seed, "machine": machine(),
        "dataset": {"name": options.dataset or default_dataset(options.suite)},
    }  # fmt: skip
    return find_record(options.out / "results", wanted)


def _describe(identity: Mapping[str, Any]) -> str:
    return f"{identity['system']}, seed {identity['seed']}, scale {identity['scale']}, {identity['machine']}"


def _accuracy_lines(comparison: Mapping[str, Any]) -> list[str]:
    accuracy, paired = comparison["accuracy"], comparison["paired"]
    a, b = (formatting.NONE if accuracy[side] is None else f"{formatting.percent(accuracy[side])} %" for side in "ab")
    line = f"accuracy: A {a}, B {b}"
    if accuracy["difference"] is not None:
        line += f", B - A = {formatting.percent(accuracy['difference'])} points"
    if not paired:
        return [line]
    line += f" [{formatting.percent(accuracy['ci_low'])}, {formatting.percent(accuracy['ci_high'])}]"
    verdict = "they differ" if paired["p"] < _LEVEL else "no significant difference"
    counts = f"only A correct {paired['only_a']}, only B correct {paired['only_b']} of {paired['n']:,} images"
    return [line, f"McNemar's exact test: p = {paired['p']:.2g}, {verdict} ({counts})"]
