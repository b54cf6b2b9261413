"""What ``bench choose`` found, as lines of text."""

from collections.abc import Mapping
from typing import Any

from bench.records import formatting as numbers


def format_choice(found: Mapping[str, Any]) -> str:
    """The answer of ``choose_from`` as lines of text."""
    data = found["dataset"]
    kind = "synthetic data" if data["synthetic"] else "data"
    place = f"{kind} {data['name']}, {data['classes']:,} classes, scale {found['scale']}, machine {found['machine']}"
    lines = [f"{found['fit']} of {found['candidates']} systems and runtimes fit; {place}"]
    if found["reference_ms"] is not None:
        lines.append(
            "ms a character: the ratio to the reference, timed in pairs with it whatever the load, times "
            f"{numbers.digits(found['reference_ms'])} ms, the reference's median time in these records"
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
    return limit if factor is None else f"{limit} by {numbers.digits(factor)} ×"


def _described(one: Mapping[str, Any]) -> str:
    interval = f"{numbers.percent(one['low'])}–{numbers.percent(one['high'])}"
    noisy = " (noisy)" if one["noisy"] else ""
    size = numbers.NONE if one["size_mb"] is None else numbers.digits(one["size_mb"])
    return (
        f"{one['system']} in {one['runtime']}: {numbers.percent(one['accuracy'])} % [{interval}], "
        f"{numbers.digits(one['latency_ms'])} ms a character{noisy}, {size} MB"
    )
