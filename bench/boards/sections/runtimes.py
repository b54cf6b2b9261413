"""Board section: each row in each runtime, with its time on one thread and on all, memory, and agreement with eager."""

from collections.abc import Callable, Iterable, Sequence

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
    Column("all_threads", "ms on all threads", formatting.noisy_millions),
    Column("times_limit", "× machine's limit", formatting.ratio),
    Column("process_bytes", "Process (MB)", formatting.millions),
    Column("size_bytes", "File (MB)", formatting.millions),
    Column("agreement", "Agreement with eager, %", formatting.share),
    Column("accuracy", "Accuracy, %", formatting.share),
    Column("drop", "Accuracy lost, points [95 %]", formatting.points),
)
_OWN = {column.figure for column in _COLUMNS}
_FILE = "\nFile: in eager mode the stored weights; in other runtimes the exported file, which holds the graph too.\n"


def text(section: Section) -> str:
    """A table with a line for each row in each runtime, eager first; empty if only eager was measured."""
    rows = section.rows
    all_suffixes = suffixes(rows)
    if len(all_suffixes) == 1:
        return ""
    lines = [(row, runtime, suffix) for row in rows for runtime, suffix in all_suffixes.items()
             if f"latency{suffix}" in row.figures]  # fmt: skip
    files = any(f"size_bytes{suffix}" in row.figures for row, _, suffix in lines if suffix)
    header = ["Latency, × reference [95 %]", "× eager"]
    cells: list[Callable[[BoardRow, str], str]] = [_ratio, _to_eager]
    for column in [*_COLUMNS, *_stated(rows)]:
        if column.figure == "size_bytes" and not files:
            continue
        header.append(column.header)
        cells.append(_figure(column))
        if column.figure == "accuracy" and len({n for row, _, suffix in lines for n in _counts(row, suffix)}) > 1:
            header.append("Characters")
            cells.append(_characters)
    texts = [[f"`{row.system}`", f"`{runtime}`", *(cell(row, suffix) for cell in cells)]
             for row, runtime, suffix in lines]  # fmt: skip
    return table(["System", "Runtime", *header], texts, 2) + (_FILE if files else "")


def suffixes(rows: Iterable[BoardRow]) -> dict[str, str]:
    """The runtimes of the rows' latencies, eager first -> the suffix of the figures in them."""
    names = {name.partition("@")[2] for row in rows for name in row.figures if name.startswith("latency@")}
    return {EAGER: "", **{runtime: f"@{runtime}" for runtime in sorted(names)}}


def _stated(rows: Sequence[BoardRow]) -> list[Column]:
    """The columns that further measurements in runtimes state."""
    deployed = in_runtimes(MEASUREMENTS.names())
    return [column for column in columns_of(rows) if column.figure in deployed and column.figure not in _OWN]


def _figure(column: Column) -> Callable[[BoardRow, str], str]:
    return lambda row, suffix: column.format(row[f"{column.figure}{suffix}"])


def _ratio(row: BoardRow, suffix: str) -> str:
    return formatting.ratio(row[f"ratio{suffix}"])


def _to_eager(row: BoardRow, suffix: str) -> str:
    ratio, eager = row[f"ratio{suffix}"].value, row["ratio"].value
    return formatting.digits(ratio / eager) if suffix and ratio is not None and eager else formatting.NONE


def _characters(row: BoardRow, suffix: str) -> str:
    """The number of test characters behind the accuracy; several if the seeds differ."""
    return ", ".join(f"{n:,}" for n in _counts(row, suffix)) or formatting.NONE


def _counts(row: BoardRow, suffix: str) -> list[int]:
    if row[f"accuracy{suffix}"].value is None:
        return []
    measured = [item.record["measurements"].get(f"accuracy{suffix}", {}) for item in row.records]
    return sorted({one["n"] for one in measured if one.get("n") is not None})
