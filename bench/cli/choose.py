"""``bench choose``: chooses the system to deploy within limits on latency, accuracy and size, from the records."""

import argparse
from collections.abc import Mapping
from typing import Any

from bench.cli._arguments import Answer, add_record_selection, add_records_folder, per_cent, positive_float
from bench.records import formatting

HELP = "choose a system to deploy within your limits, from the records"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    add = parser.add_argument
    add("--max-latency-ms", type=positive_float, metavar="X",
        help="most milliseconds per character on one thread, estimated as the ratio to the reference network "
        "times its median time")  # fmt: skip
    add("--min-accuracy", type=per_cent, metavar="X",
        help="least accuracy on the test part, in per cent; values up to 1 are ratios")  # fmt: skip
    add("--max-size-mb", type=positive_float, metavar="X", help="largest size in MB of 10^6 bytes")
    add_record_selection(parser)
    add("--machine", metavar="NAME", help="machine of the records; required if they come from several machines")
    add_records_folder(parser)


def run(options: argparse.Namespace) -> Answer:
    """Choose the most accurate system within the limits; exit 1 if none fits."""
    from bench.records.choose import Limits, choose_from

    limits = Limits(options.max_latency_ms, options.min_accuracy, options.max_size_mb)
    choice = choose_from(options.out, options.suite, options.dataset, options.scale, options.machine, limits)
    return int(choice["chosen"] is None), choice, format_choice(choice)


def format_choice(choice: Mapping[str, Any]) -> str:
    """The result of ``choose_from`` as lines of text."""
    data = choice["dataset"]
    kind = "synthetic data" if data["synthetic"] else "data"
    place = f"{kind} {data['name']}, {data['classes']:,} classes, scale {choice['scale']}, machine {choice['machine']}"
    lines = [f"{choice['fit']} of {choice['candidates']} candidates (a system in a runtime) fit; {place}"]
    if choice["reference_ms"] is not None:
        lines.append(
            "ms per character: the ratio to the reference network, which cancels the load of the machine, times "
            f"{formatting.digits(choice['reference_ms'])} ms, the reference's median time in these records"
        )
    if choice["chosen"]:
        lines.append(f"choose {_describe(choice['chosen'])}")
        lines += [f"alternative: {other['text']}" for other in choice["given_up"]]
    else:
        lines += [f"{limit} alone excludes {count} of them" for limit, count in choice["excluded"].items()]
        if choice["nearest"]:
            misses = choice["nearest"]["misses"].items()
            missed = ", ".join(
                f"{limit} by {formatting.digits(by)} ×" if by is not None else limit for limit, by in misses
            )
            lines.append(f"nearest: {_describe(choice['nearest'])}; it misses {missed}")
    if choice["front"]:
        steps = " → ".join(f"{one['system']} in {one['runtime']}" for one in choice["front"])
        lines.append(f"Pareto front, from fast to slow: {steps}")
    return "\n".join([*lines, *(f"note: {note}" for note in choice["notes"])])


def _describe(candidate: Mapping[str, Any]) -> str:
    interval = f"{formatting.percent(candidate['low'])}–{formatting.percent(candidate['high'])}"
    noisy = " (noisy)" if candidate["noisy"] else ""
    size = formatting.NONE if candidate["size_mb"] is None else formatting.digits(candidate["size_mb"])
    return (
        f"{candidate['system']} in {candidate['runtime']}: {formatting.percent(candidate['accuracy'])} % [{interval}], "
        f"{formatting.digits(candidate['latency_ms'])} ms per character{noisy}, {size} MB"
    )
