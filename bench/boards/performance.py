"""The board of suite ``performance``: each row compares two programs by a ratio of their times or sizes."""

from collections.abc import Mapping, Sequence

from bench.boards import leaderboard as board
from bench.boards.markdown import table
from bench.boards.sections import failures
from bench.boards.sections.section import Section
from bench.records import formatting
from bench.records.load import Stored
from bench.records.protocols import Protocol
from bench.records.rows import BoardRow, board_rows


def performance_board(stored: Sequence[Stored], protocols: Mapping[str, Protocol]) -> str:
    """The page's facts, a table of the comparisons with ratio, goal and verdict, and the failures."""
    records = [item.record for item in stored]
    several = len({record["scale"] for record in records}) > 1
    machines = len({record["machine"]["name"] for record in records}) > 1
    named = ["Comparison", *(["Scale"] if several else []), *(["Machine"] if machines else [])]
    header = [*named, "Ratio [95 %]", "Goal", "Verdict"]
    lines = []
    for scale in sorted({record["scale"] for record in records}):
        rows = board_rows([item for item in stored if item.record["scale"] == scale], protocols)
        for row in sorted(rows, key=lambda row: (row.system, row.machine)):
            name = [
                f"`{row.system}`",
                *([f"`{scale}`"] if several else []),
                *([f"`{row.machine}`"] if machines else []),
            ]
            lines.append([*name, formatting.ratio(row["ratio"]), _texts(row, "goal"), _texts(row, "verdict")])
    parts = [board.provenance(records) + "\n", table(header, lines, len(header))]
    failed = failures.text(Section((), stored))
    if failed:
        parts += [f"## {failures.HEADING}\n", failed]
    return "\n".join(parts)


def _texts(row: BoardRow, key: str) -> str:
    """The texts of the row's records under ``key``, at the top level or in measurement ``ratio``."""
    records = [item.record for item in row.records]
    texts = [record.get(key) or record["measurements"].get("ratio", {}).get(key) for record in records]
    return "; ".join(dict.fromkeys(str(text) for text in texts if text)) or formatting.NONE
