"""The summary table at the end of a run, for the terminal and Weights & Biases."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Column, Table
from rich.text import Text

from bench.boards.columns import columns_of
from bench.boards.markdown import error_text
from bench.records import formatting
from bench.records.load import Stored
from bench.records.rows import board_rows


def summary(records: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[list[str]]]:
    """Header and lines of the table, in the order of the records."""
    # One line per record, also for a failed one, of which board_rows would make no row.
    rows = [board_rows([Stored("", {**record, "status": "whole"})], {})[0] for record in records]
    columns = columns_of(rows, narrow=True)
    shown = {column.figure for column in columns}
    units = {name: str(one.get("unit", "")) for record in records for name, one in record["measurements"].items()}
    conditions = sorted(name for name in units if "@" in name and name not in shown)
    lines = []
    for record, row in zip(records, rows, strict=True):
        status = record["status"] + (f" ({error_text(record['error'])})" if record.get("error") else "")
        more = [formatting.of_unit(row[name], units[name]) for name in conditions]
        lines.append([record["system"], *[column.cell(row) for column in columns], *more, status])
    return ["System", *[column.header for column in columns], *conditions, "Status"], lines


def summary_table(records: Sequence[Mapping[str, Any]]) -> Table:
    """The summary as a table for the terminal."""
    header, lines = summary(records)
    table = Table(*[Column(name, justify="left" if name in ("System", "Status") else "right") for name in header])
    for line in lines:
        table.add_row(*map(Text, line))  # Text: brackets here are intervals, not markup
    return table
