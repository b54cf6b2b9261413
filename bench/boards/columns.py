"""Reads the columns that measurements state (``COLUMN``): for boards, and for narrow tables (terminal, W&B, README).

A measurement's file states ``COLUMN = (header, format)``; None if a section of the board shows it instead. ``format``
names a function of ``bench/records/formatting.py``. Two optional items give another header and format for narrow
tables; None omits the column there. A measurement with several figures, such as a latency with its ratio to the
reference, states ``COLUMNS`` instead: (figure, header, format, narrow header, narrow format) for each.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from bench.plugins import MEASUREMENTS
from bench.records import formatting
from bench.records.record import RANKED
from bench.records.rows import BoardRow, Figure

ALWAYS = {*RANKED, "ratio"}  # shown even if no row has a value


@dataclass(frozen=True)
class Column:
    """One column: the name of a row's figure, the header, and the function that formats the figure."""

    figure: str
    header: str
    format: Callable[[Figure], str]

    def cell(self, row: BoardRow) -> str:
        """A row's text in this column."""
        return self.format(row[self.figure])


def columns_of(rows: Iterable[BoardRow], narrow: bool = False) -> list[Column]:
    """The columns of a table of these rows, in the order of the measurements' names; imports no measurement.

    Columns without any value are omitted, except for those that ranking needs. ``narrow`` is for terminal, W&B, README.
    """
    figures = {name for row in rows for name, one in row.figures.items() if one.value is not None or one.why} | ALWAYS
    columns = (column for name in MEASUREMENTS.names() for column in _columns(name, narrow))
    return [column for column in columns if column.figure in figures]


def _columns(measurement: str, narrow: bool) -> Iterator[Column]:
    """The columns that a measurement's file states."""
    literals = MEASUREMENTS.literals(measurement)
    one = literals.get("COLUMN")
    for figure, *words in literals.get("COLUMNS", ((measurement, *one),) if one else ()):
        header, format_name = words[-2:] if narrow else words[:2]
        if header is not None:
            yield Column(figure, header, getattr(formatting, format_name))
