"""Fills in the README's short tables: they stand between two marks and are rendered from the records."""

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
    """The README with every marked table rendered again; None if there is no README or no mark.

    ``rows`` returns the rows of a board's first section by the board's stem, and None if there is no such board.
    """
    text = readme.read_text(encoding="utf-8") if readme.exists() else ""
    pattern = re.compile(r"<!-- board (\S+) -->\n.*?" + re.escape(END), re.DOTALL)
    if not pattern.search(text):
        return None

    def replacement(match: re.Match[str]) -> str:
        board = rows(match.group(1))
        return match.group() if board is None else f"{BEGIN.format(stem=match.group(1))}\n{_table(board)}{END}"

    return pattern.sub(replacement, text).encode()


def _table(rows: Sequence[BoardRow]) -> str:
    columns = columns_of(rows, narrow=True)
    lines = []
    for row in rows:
        name = f"`{row.system}` {FRONT}" if row.pareto else f"`{row.system}`"
        lines.append([formatting.places(row.rank), name, *[column.cell(row) for column in columns]])
    return table(["Rank", "System", *[column.header for column in columns]], lines, 2)
