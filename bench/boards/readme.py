"""The short tables in the README: rendered from records like the boards, between two marks."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.boards import leaderboard as board
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
    header = ["Rank", "System", "Accuracy, % [95 %]", "Latency, × reference", "ms/character", "MACs (M)", "Size (MB)"]
    lines = [
        [
            formatting.places(row.rank),
            f"`{row.system}`" + (" ◆" if row.pareto else ""),
            formatting.accuracy(row["accuracy"]),
            formatting.ratio(row["ratio"]),
            formatting.millions(row["latency"]),
            formatting.millions(row["macs"]),
            formatting.millions(row["size_bytes"]),
        ]
        for row in rows
    ]
    return board.table(header, lines, 2)
