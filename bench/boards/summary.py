"""The table at the end of a run: in the terminal, and in Weights & Biases."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Column, Table
from rich.text import Text

from bench.boards import leaderboard as board
from bench.records import formatting
from bench.records.load import Stored
from bench.records.rows import board_rows


def summary(records: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[list[str]]]:
    """Columns and rows of a table for the end of a run, in the order of the records."""
    costs = ["MACs (M)", "Params (M)", "Size (MB)", "ms/character", "× reference"]
    others = sorted({name for record in records for name in record["measurements"] if "@" in name})
    columns = ["System", "Accuracy, %", *costs, *others, "Status"]
    return columns, [_summary_line(record, others) for record in records]


def summary_table(records: Sequence[Mapping[str, Any]]) -> Table:
    """The same for the terminal."""
    columns, lines = summary(records)
    texts = ("System", "Status")
    table = Table(*[Column(name, justify="left" if name in texts else "right") for name in columns])
    for line in lines:
        table.add_row(*[Text(cell) for cell in line])  # Text: brackets here are intervals, not markup
    return table


def _summary_line(record: Mapping[str, Any], others: Sequence[str]) -> list[str]:
    # Every row of the table stands for itself, a failed one too.
    row = board_rows([Stored("", {**record, "status": "whole"})], {})[0]
    costs = [formatting.millions(row[name]) for name in ("macs", "params", "size_bytes", "latency")]
    units = {name: str(found.get("unit", "")) for name, found in record["measurements"].items()}
    conditions = [formatting.of_unit(row[name], units.get(name, "")) for name in others]
    status = record["status"] + (f" ({board.error_text(record['error'])})" if record.get("error") else "")
    figures = [formatting.accuracy(row["accuracy"]), *costs, formatting.ratio(row["ratio"]), *conditions]
    return [record["system"], *figures, status]
