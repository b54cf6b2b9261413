"""The table at the end of a run: in the terminal, and in Weights & Biases."""

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
    """Columns and rows of a table for the end of a run, in the order of the records."""
    # Every row of the table stands for itself, a failed one too.
    rows = [board_rows([Stored("", {**record, "status": "whole"})], {})[0] for record in records]
    columns = columns_of(rows, narrow=True)
    shown = {column.figure for column in columns}
    units = {name: str(one.get("unit", "")) for record in records for name, one in record["measurements"].items()}
    conditions = sorted(name for name in units if "@" in name and name not in shown)
    lines = []
    for record, row in zip(records, rows, strict=True):
        status = record["status"] + (f" ({error_text(record['error'])})" if record.get("error") else "")
        others = [formatting.of_unit(row[name], units[name]) for name in conditions]
        lines.append([record["system"], *[column.cell(row) for column in columns], *others, status])
    return ["System", *[column.header for column in columns], *conditions, "Status"], lines


def summary_table(records: Sequence[Mapping[str, Any]]) -> Table:
    """The same for the terminal."""
    columns, lines = summary(records)
    texts = ("System", "Status")
    table = Table(*[Column(name, justify="left" if name in texts else "right") for name in columns])
    for line in lines:
        table.add_row(*[Text(cell) for cell in line])  # Text: brackets here are intervals, not markup
    return table
