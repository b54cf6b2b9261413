"""``bench choose``: which system to deploy within limits, from the records."""

import argparse
from collections.abc import Mapping
from typing import Any

from bench.cli._arguments import Answer, add_record_selection, add_records_folder, per_cent, positive_float
from bench.records import formatting

HELP = "which system to deploy, from the records"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    add = parser.add_argument
    add("--max-latency-ms", type=positive_float, metavar="X",
        help="milliseconds a character, one thread: the ratio to the reference times its median time")  # fmt: skip
    add("--min-accuracy", type=per_cent, metavar="X", help="per cent of the test part; 1 and less is a ratio")
    add("--max-size-mb", type=positive_float, metavar="X", help="MB of 10^6 bytes")
    add_record_selection(parser)
    add("--machine", metavar="NAME", help="as records name it; needed where there are several")
    add_records_folder(parser)


def run(options: argparse.Namespace) -> Answer:
    """Choose the most accurate system within the limits; exit 1 when none fits."""
    from bench.records.choose import Limits, choose_from

    limits = Limits(options.max_latency_ms, options.min_accuracy, options.max_size_mb)
    found = choose_from(options.out, options.suite, options.dataset, options.scale, options.machine, limits)
    return int(found["chosen"] is None), found, format_choice(found)


def format_choice(found: Mapping[str, Any]) -> str:
    """The answer of ``choose_from`` as lines of text."""
    data = found["dataset"]
    kind = "synthetic data" if data["synthetic"] else "data"
    place = f"{kind} {data['name']}, {data['classes']:,} classes, scale {found['scale']}, machine {found['machine']}"
    lines = [f"{found['fit']} of {found['candidates']} systems and runtimes fit; {place}"]
    if found["reference_ms"] is not None:
        lines.append(
            "ms a character: the ratio to the reference, timed in pairs with it whatever the load, times "
            f"{formatting.digits(found['reference_ms'])} ms, the reference's median time in these records"
        )
    if found["chosen"]:
        lines.append(f"choose {_described(found['chosen'])}")
        lines += [f"given up: {other['text']}" for other in found["given_up"]]
    else:
        lines += [f"{limit} excludes {count} of them by itself" for limit, count in found["excluded"].items()]
        if found["nearest"]:
            missed = ", ".join(_miss(limit, factor) for limit, factor in found["nearest"]["misses"].items())
            lines.append(f"nearest: {_described(found['nearest'])}; it misses {missed}")
    steps = " → ".join(f"{one['system']} in {one['runtime']}" for one in found["front"])
    front = [f"Pareto front, from fast to slow: {steps}"] if steps else []
    return "\n".join([*lines, *front, *(f"note: {note}" for note in found["notes"])])


def _miss(limit: str, factor: float | None) -> str:
    return limit if factor is None else f"{limit} by {formatting.digits(factor)} ×"


def _described(one: Mapping[str, Any]) -> str:
    interval = f"{formatting.percent(one['low'])}–{formatting.percent(one['high'])}"
    noisy = " (noisy)" if one["noisy"] else ""
    size = formatting.NONE if one["size_mb"] is None else formatting.digits(one["size_mb"])
    return (
        f"{one['system']} in {one['runtime']}: {formatting.percent(one['accuracy'])} % [{interval}], "
        f"{formatting.digits(one['latency_ms'])} ms a character{noisy}, {size} MB"
    )
