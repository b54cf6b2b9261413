"""Columns that measurements state for themselves, in boards and in narrow tables: terminal, W&B and README.

A measurement's file says ``COLUMN = (header, format)``, or None where a section of its own shows it; ``format`` names a
function of ``bench/records/formatting.py``. Two more words are the header and the format in narrow tables, where these
differ; None keeps the column out of them. A measurement whose record gives several figures, as a latency gives a ratio
to the reference too, says ``COLUMNS`` instead: (figure, header, format, narrow header, narrow format) for each.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bench.plugins import MEASUREMENTS
from bench.records import formatting
from bench.records.record import RANKED
from bench.records.rows import BoardRow, Figure

ALWAYS = {*RANKED, "ratio"}  # shown even where no row has a value


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        figure: name of what a row holds.
        header: of the table.
        format: a row's figure as text.
    """

    figure: str
    header: str
    format: Callable[[Figure], str]

    def cell(self, row: BoardRow) -> str:
        """A row's text in this column."""
        return self.format(row[self.figure])


def columns_of(rows: Iterable[BoardRow], narrow: bool = False) -> list[Column]:
    """The columns of a table of these rows, by the measurements' names; imports no measurement.

    Args:
        rows: of the table; a column without a value in any of them is left out, unless ranking needs it.
        narrow: for the terminal, W&B and the README.
    """
    listed = list(rows)
    found = [column for name in MEASUREMENTS.names() for column in _stated(name, narrow)]
    return [one for one in found if one.figure in ALWAYS or any(_has(row, one.figure) for row in listed)]


def _has(row: BoardRow, figure: str) -> bool:
    return row[figure].value is not None or bool(row[figure].why)


def _stated(measurement: str, narrow: bool) -> list[Column]:
    """The columns that a measurement's file states."""
    literals = MEASUREMENTS.literals(measurement)
    one = literals.get("COLUMN")
    stated = literals.get("COLUMNS", ((measurement, *one),) if one else ())
    found = []
    for figure, *words in stated:
        header, format_name = words[-2:] if narrow else words[:2]
        if header is not None:
            found.append(Column(figure, header, getattr(formatting, format_name)))
    return found
