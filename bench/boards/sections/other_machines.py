"""Board section: latencies on each machine that has records, and how far rank order and ratios carry over."""

import math
from collections.abc import Container, Mapping, Sequence
from itertools import combinations

from bench.boards.markdown import table
from bench.boards.sections.runtimes import suffixes
from bench.boards.sections.section import Section
from bench.records import formatting
from bench.records.rows import BoardRow, Figure

HEADING = "On other machines"
LEAST = 3  # rows for a rank correlation: that of two is always 1 or -1
_Key = tuple[str, str]  # a system, and the suffix of its figures in a runtime


def text(section: Section) -> str:
    """A table with a line for each system and runtime, and a line for each pair of machines; empty for one machine."""
    if not section.others:
        return ""
    rows = [*section.rows, *section.others]
    ranked = {row.system for row in section.rows}
    by_machine: dict[str, dict[str, BoardRow]] = {}
    for row in rows:
        by_machine.setdefault(row.machine, {})[row.system] = row
    runtimes = {suffix: runtime for runtime, suffix in suffixes(rows).items()}
    keys = [(system, suffix) for system in dict.fromkeys(row.system for row in rows) for suffix in runtimes
            if any(row.system == system and _shown(row, suffix, ranked) for row in rows)]  # fmt: skip
    unranked = any(system not in ranked for system, _ in keys)
    header = ["System", "Runtime", *(["Accuracy, %, if not ranked above"] if unranked else [])]
    for machine in by_machine:
        header += [f"`{machine}`: × reference [95 %]", "ms"]
    lines = []
    for system, suffix in keys:
        own = [row for row in section.others if row.system == system and system not in ranked]
        accuracy = next((row[f"accuracy{suffix}"] for row in own), Figure())
        line = [f"`{system}`", f"`{runtimes[suffix]}`", *([formatting.share(accuracy)] if unranked else [])]
        for of_machine in by_machine.values():
            figures = of_machine[system].figures if system in of_machine else {}
            line += [formatting.ratio(figures.get(f"ratio{suffix}", Figure())),
                     formatting.millions(figures.get(f"latency{suffix}", Figure()))]  # fmt: skip
        lines.append(line)
    pairs = [_pair(one, other, by_machine, keys, runtimes) for one, other in combinations(by_machine, 2)]
    return f"{_NOTE}\n{table(header, lines, 2)}\n{''.join(pairs)}"


def _shown(row: BoardRow, suffix: str, ranked: Container[str]) -> bool:
    """Whether a row has a line in a runtime: it was timed there, or it appears nowhere else on the board."""
    latency = row[f"latency{suffix}"]
    return latency.value is not None or bool(latency.why) or (not suffix and row.system not in ranked)


def _pair(
    one: str,
    other: str,
    machines: Mapping[str, Mapping[str, BoardRow]],
    keys: Sequence[_Key],
    runtimes: Mapping[str, str],
) -> str:
    """How far the rank order of the times and the ratios of one machine hold on another."""
    a, b = machines[one], machines[other]
    both = [key for key in keys if key[0] in a and key[0] in b]
    times = [(a[system][f"latency{suffix}"].value, b[system][f"latency{suffix}"].value) for system, suffix in both]
    known = [(x, y) for x, y in times if x is not None and y is not None]
    line = f"- `{one}` and `{other}`: Spearman's rank correlation of the ms is {_spearman(known)} (n = {len(known)})"
    ratios = {key: (a[key[0]][f"ratio{key[1]}"].value, b[key[0]][f"ratio{key[1]}"].value) for key in both}
    changes = {key: math.log(y / x) for key, (x, y) in ratios.items() if x and y}
    if changes:
        key = max(changes, key=lambda key: abs(changes[key]))
        x, y = ratios[key]
        change = f"{formatting.digits(x or 0.0)} to {formatting.digits(y or 0.0)} × reference"
        line += f"; the ratio of `{key[0]}` in `{runtimes[key[1]]}` changes most, from {change}"
    return f"{line}.\n"


def _spearman(pairs: Sequence[tuple[float, float]]) -> str:
    """Spearman's rank correlation; none for fewer than LEAST pairs, or if all times of one machine are equal."""
    if len(pairs) < LEAST or any(len(set(times)) == 1 for times in zip(*pairs, strict=True)):
        return formatting.NONE
    from scipy.stats import spearmanr

    return f"{spearmanr(pairs).statistic:.2f}"


_NOTE = (
    "A ratio to the reference network holds for the CPU on which it was measured: it does not carry over to another "
    "one. The order of the systems may; the lines below the table say how far it does. Only the rows of one machine "
    "are ranked above, so a system that only another machine has appears here alone.\n"
)
