"""Board section: each row in each runtime, with its time on one thread and on all, memory, and agreement with eager."""

from collections.abc import Sequence

from bench.boards.columns import Column, columns_of
from bench.boards.markdown import table
from bench.boards.sections.section import Section
from bench.plugins import MEASUREMENTS, in_runtimes
from bench.records import formatting
from bench.records.rows import BoardRow

EAGER = "eager"
HEADING = "Runtimes"
# Header, figure and format of the columns after "System", "Runtime", the ratio to the reference and that to eager.
_COLUMNS = (
    Column("latency", "ms/character (quartiles, p90 ≤ its bound)", formatting.milliseconds),
    Column("all_threads", "ms on all threads", formatting.millions),
    Column("times_limit", "× machine's limit", formatting.ratio),
    Column("process_bytes", "Process (MB)", formatting.millions),
    Column("agreement", "Agreement with eager, %", formatting.share),
    Column("accuracy", "Accuracy, %", formatting.share),
    Column("drop", "Accuracy lost, points [95 %]", formatting.points),
)


def text(section: Section) -> str:
    """A table with a line for each row in each runtime, eager first; empty if only eager was measured."""
    rows = section.rows
    runtimes = sorted({name.partition("@")[2] for row in rows for name in row.figures if name.startswith("latency@")})
    if not runtimes:
        return ""
    deployed = [name for name in in_runtimes(MEASUREMENTS.names()) if name not in ("accuracy", "latency")]
    columns = [*_COLUMNS, *(column for column in columns_of(rows) if column.figure in deployed)]
    header = ["System", "Runtime", "Latency, × reference [95 %]", "× eager", *[column.header for column in columns]]
    suffixes = {EAGER: "", **{runtime: f"@{runtime}" for runtime in runtimes}}  # of figures in a runtime
    lines = [_line(row, runtime, suffix, columns) for row in rows for runtime, suffix in suffixes.items()
             if f"latency{suffix}" in row.figures]  # fmt: skip
    return table(header, lines, 2)


def _line(row: BoardRow, runtime: str, suffix: str, columns: Sequence[Column]) -> list[str]:
    ratio, eager, cell = row[f"ratio{suffix}"], row["ratio"].value, formatting.NONE
    if suffix and ratio.value is not None and eager:
        cell = formatting.digits(ratio.value / eager)
    cells = [column.format(row[f"{column.figure}{suffix}"]) for column in columns]
    return [f"`{row.system}`", f"`{runtime}`", formatting.ratio(ratio), cell, *cells]
