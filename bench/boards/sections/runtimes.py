"""Rows in each runtime on a board: time on one thread and on all, memory, and whether the answers are eager's."""

from collections.abc import Sequence

from bench.boards.columns import Column, columns_of
from bench.boards.markdown import table
from bench.boards.sections.section import Section
from bench.plugins import MEASUREMENTS, in_runtimes
from bench.records import formatting
from bench.records.rows import BoardRow, Figure

EAGER = "eager"


HEADING = "Runtimes"


def text(section: Section) -> str:
    """A table with a line for each row in each runtime, eager first; nothing where there is eager alone."""
    rows = section.rows
    runtimes = runtimes_of(rows)
    others = _other_columns(rows)
    header = [
        "System", "Runtime", "Latency, × reference [95 %]", "× eager", "ms/character (quartiles, p90 ≤ its bound)",
        "ms on all threads", "× machine's limit", "Process (MB)", "Answers as eager, %", "Accuracy, %",
        "lost, points [95 %]", *[column.header for column in others],
    ]  # fmt: skip
    lines = [_line(row, runtime, others) for row in rows for runtime in (EAGER, *runtimes) if _has(row, runtime)]
    return table(header, lines, 2) if runtimes else ""


def runtimes_of(rows: Sequence[BoardRow]) -> list[str]:
    """In which runtimes, eager aside, any of the rows was timed."""
    return sorted({name.partition("@")[2] for row in rows for name in row.figures if name.startswith("latency@")})


def _line(row: BoardRow, runtime: str, others: Sequence[Column]) -> list[str]:
    def figure(name: str) -> Figure:
        return row[name if runtime == EAGER else f"{name}@{runtime}"]

    own, eager = figure("ratio").value, row["ratio"].value
    return [
        f"`{row.system}`",
        f"`{runtime}`",
        formatting.ratio(figure("ratio")),
        formatting.NONE if own is None or eager is None or runtime == EAGER else formatting.digits(own / eager),
        formatting.milliseconds(figure("latency")),
        formatting.millions(figure("all_threads")),
        formatting.ratio(figure("times_limit")),
        formatting.millions(figure("process_bytes")),
        formatting.share(figure("agreement")),
        formatting.share(figure("accuracy")),
        formatting.points(figure("drop")),
        *[column.format(figure(column.figure)) for column in others],
    ]


def _other_columns(rows: Sequence[BoardRow]) -> list[Column]:
    """Columns of further measurements that are made in each runtime."""
    deployed = [name for name in in_runtimes(MEASUREMENTS.names()) if name not in ("accuracy", "latency")]
    return [column for column in columns_of(rows) if column.figure in deployed]


def _has(row: BoardRow, runtime: str) -> bool:
    return ("latency" if runtime == EAGER else f"latency@{runtime}") in row.figures
