"""The short tables in the README: rendered from records like the boards, between two marks."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.boards.columns import columns_of
from bench.boards.leaderboard import FRONT
from bench.boards.markdown import table
from bench.records import formatting
from bench.records.rows import BoardRow

BEGIN, END = "<!-- board {stem} -->", "<!-- end -->"


def filled(readme: Path, rows: Callable[[str], Sequence[BoardRow] | None]) -> bytes | None:
    """The README with every marked table made anew; None where there is no README or no mark.

    Args:
        readme: the file.
        rows: the rows of a board's first section by the board's stem; None where there is no such board.
    """
    if not readme.exists():
        return None
    text = readme.read_text(encoding="utf-8")
    pattern = re.compile(r"<!-- board (\S+) -->\n.*?" + re.escape(END), re.DOTALL)
    if not pattern.search(text):
        return None

    def table(match: re.Match[str]) -> str:
        found = rows(match.group(1))
        return match.group() if found is None else f"{BEGIN.format(stem=match.group(1))}\n{_table(found)}{END}"

    return pattern.sub(table, text).encode()


def _table(rows: Sequence[BoardRow]) -> str:
    columns = columns_of(rows, narrow=True)
    lines = [
        [
            formatting.places(row.rank),
            f"`{row.system}`" + (f" {FRONT}" if row.pareto else ""),
            *[column.cell(row) for column in columns],
        ]
        for row in rows
    ]
    return table(["Rank", "System", *[column.header for column in columns]], lines, 2)
