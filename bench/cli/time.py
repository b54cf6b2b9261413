"""``bench time``: times the systems of a board on this machine, without training."""

import argparse
import sys
from functools import partial
from typing import Any

from bench.cli._arguments import Answer, add_record_selection, add_records_folder
from bench.cli.doctor import check_builds
from bench.records import formatting

HELP = "time the systems of a board on this machine, without training"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    add = parser.add_argument
    add_record_selection(parser)
    add("--system", action="append", default=[], metavar="NAME", help="time this system only; repeatable")
    add("--runtime", action="append", default=[], metavar="NAME",
        help="time in this runtime only; repeatable; default: eager and those of the board")  # fmt: skip
    add("--fresh", action="store_true", help="time again what is already timed here")
    add_records_folder(parser)


def run(options: argparse.Namespace) -> Answer:
    """Time each system of the board once, and print ms per character; exit 1 if a time failed."""
    check_builds()
    from bench.records.choosing.selection import Request
    from bench.run.time_rows import records_to_time, runtimes_to_time, time_system

    request = Request(options.suite, options.dataset, options.scale, leaderboards=options.out)
    board = records_to_time(request, options.system)
    runtimes = runtimes_to_time(board, options.runtime)
    records = []
    for number, record in enumerate(board, 1):
        tell = partial(print, f"{number}/{len(board)}  {record['system']} in", file=sys.stderr, flush=True)
        records.append(time_system(record, runtimes, request.runs, options.command, options.fresh, tell))
    figures = [item for record in records for item in record["measurements"].items()]
    failed = any(one.get("value") is None for name, one in figures if name.partition("@")[0] == "latency")
    lines = [line for record in records for line in _lines(record)]
    return int(failed), {"records": records}, "\n".join([*lines, _next(options)])


def _lines(record: dict[str, Any]) -> list[str]:
    lines = []
    for name, one in record["measurements"].items():
        figure, _, runtime = name.partition("@")
        if figure != "latency":
            continue
        text = one.get("error") or f"{formatting.digits(one['value'] / formatting.MILLION)} ms" + (
            " (noisy)" if one["noisy"] else ""
        )
        rates = ", ".join(
            f"{100 * rate:.0f} % leave at {exit_}" for exit_, rate in record.get("exit_rates", {}).items()
        )
        lines.append(f"{record['system']:<28} {runtime or 'eager':<18} {text}{f'; {rates}' if rates else ''}")
    return lines


def _next(options: argparse.Namespace) -> str:
    from bench.records.deploy_commands import BOARDS  # numpy, which the parser does without

    words = [f"--{name} {value}" for name, value, usual in (
        ("suite", options.suite, "hccr"), ("dataset", options.dataset, None), ("scale", options.scale, "quick"),
        ("out", options.out, BOARDS),
    ) if value != usual]  # fmt: skip
    return " ".join(["random weights, never ranked; to choose with these times: bench choose --here", *words])
