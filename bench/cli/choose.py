"""``bench choose``: chooses the system to deploy within limits on latency, accuracy, size and memory, from records."""

import argparse
import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from bench.cli._arguments import Answer, add_record_selection, add_records_folder, per_cent, positive_float
from bench.records import formatting

HELP = "choose a system to deploy within your limits, from the records"
WIDTH, SYSTEM = 100, 28  # columns of the table, and of a system's name before it is broken
_HEADER = ("system", "runtime", "accuracy %\n[95 %]", "ms", "file\nMB", "process\nMB", "why")
_RIGHT = range(3, 6)  # columns of numbers


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    add = parser.add_argument
    add("--max-latency-ms", type=positive_float, metavar="X",
        help="most milliseconds per character on one thread, estimated as the ratio to the reference network "
        "times its median time")  # fmt: skip
    add("--min-accuracy", type=per_cent, metavar="X",
        help="least accuracy on the test part, in per cent; values up to 1 are ratios")  # fmt: skip
    add("--max-size-mb", type=positive_float, metavar="X", help="largest exported file in MB of 10^6 bytes")
    add("--max-memory-mb", type=positive_float, metavar="X",
        help="most memory of a process that has loaded it, in MB of 10^6 bytes")  # fmt: skip
    add("--runtime", action="append", default=[], metavar="NAME",
        help="choose from this runtime only; repeatable; one that runs a file, such as onnxruntime-int8")  # fmt: skip
    add_record_selection(parser)
    add("--real", action="store_true",
        help="choose from real handwriting only: without --dataset, from the suite's newest such records")  # fmt: skip
    add("--machine", metavar="NAME", help="machine of the records; default: the one that the board ranks")
    add("--here", action="store_true",
        help="use the times and the memory of this machine, from its own records or from bench time")  # fmt: skip
    add_records_folder(parser)


def run(options: argparse.Namespace) -> Answer:
    """Choose the most accurate system within the limits; exit 1 if none fits."""
    from bench.records.choosing.choose import Limits, choose_from
    from bench.records.choosing.selection import Request

    limits = Limits(options.max_latency_ms, options.min_accuracy, options.max_size_mb, options.max_memory_mb)
    request = Request(
        options.suite, options.dataset, options.scale, options.machine, tuple(options.runtime), options.real,
        options.here, options.out,
    )  # fmt: skip
    choice = choose_from(request, limits)
    return int(choice["chosen"] is None), choice, format_choice(choice)


def format_choice(choice: Mapping[str, Any]) -> str:
    """The result of ``choose_from`` as text: data, table, what ms means, the choice and its commands."""
    lines = [_data_line(choice), ""]
    if choice["table"]:
        lines += [*_table([_cells(one) for one in choice["table"]]), ""]
        where = "on this machine" if choice["here"] else "in these records"
        reference = formatting.digits(choice["reference_ms"])
        lines.append(
            f"ms per character, one thread: ratio to the reference network × {reference} ms, its median {where}."
        )
    lines.append(_sentence(choice))
    if choice["file_here"] is False:
        lines.append("Neither its file nor its weights are on this machine: train it here, then export it.")
    return "\n".join([*lines, *(f"  {command}" for command in choice["commands"])])


def _data_line(choice: Mapping[str, Any]) -> str:
    data, machine = choice["dataset"], choice["machine"]
    kind = "synthetic data" if data["synthetic"] else "real data"
    which = "the one with the most rows" if choice["here"] else "the one that the board ranks"
    several = f" ({which}; or --machine)" if len(choice["machines"]) > 1 and not choice["machine_named"] else ""
    machine = f"{'accuracies of ' if choice['here'] else ''}machine {machine}{several}"
    return f"{kind} {data['name']}, {data['classes']:,} classes, scale {choice['scale']}, {machine}"


def _sentence(choice: Mapping[str, Any]) -> str:
    count, fit, chosen, nearest = choice["candidates"], choice["fit"], choice["chosen"], choice["nearest"]
    if chosen:
        best = f"the most accurate of the {fit} of {count} candidates that fit"
        best = f"the most accurate of {count} candidates" if fit == count else best
        best = f"the only one of {count} candidates that fits" if fit == 1 else best
        return (
            f"Choose {chosen['system']} in {chosen['runtime']}: {_percent(chosen['accuracy'])} % at "
            f"{formatting.digits(chosen['latency_ms'])} ms, {best}."
        )
    if nearest:
        name = f"{nearest['system']} in {nearest['runtime']}"
        return f"None of {count} candidates fits; nearest: {name}, {nearest['reason']}."
    reasons = "; ".join(f"{reason} ({number})" for reason, number in choice["left_out"].items())
    return f"No candidate: {reasons or 'not measured in this runtime'}. Measure some:"


def _cells(one: Mapping[str, Any]) -> list[str]:
    sizes = (
        formatting.NONE if one[name] is None else formatting.digits(one[name]) for name in ("size_mb", "memory_mb")
    )
    accuracy = f"{_percent(one['accuracy'])} [{_percent(one['low'])}–{_percent(one['high'])}]"
    latency = formatting.digits(one["latency_ms"])
    return [one["system"], one["runtime"], accuracy, latency, *sizes, one["reason"]]


def _percent(ratio: float) -> str:
    return formatting.digits(100 * ratio)


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Header and rows as lines of aligned cells; long names and reasons are broken to keep within WIDTH."""
    cells = [[header.splitlines() or [""] for header in _HEADER]]
    cells += [[textwrap.wrap(row[0], SYSTEM), *([cell] for cell in row[1:])] for row in rows]
    widths = [max(len(line) for row in cells for line in row[column]) for column in range(len(_HEADER))]
    last = max(18, WIDTH - sum(widths[:-1]) - 2 * len(widths[:-1]))
    lines = []
    for row in cells:
        # Reasons break after punctuation only: the other spaces are no spaces to textwrap.
        joined = re.sub("(?<![,;:]) ", "\u00a0", row[-1][0])
        row[-1] = [line.replace("\u00a0", " ") for line in textwrap.wrap(joined, last, break_long_words=False)]
        for number in range(max(map(len, row))):
            parts = [cell[number] if number < len(cell) else "" for cell in row]
            sized = enumerate(zip(parts, widths, strict=True))
            aligned = [part.rjust(width) if i in _RIGHT else part.ljust(width) for i, (part, width) in sized]
            lines.append("  ".join(aligned).rstrip())
    return lines
