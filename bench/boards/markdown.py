"""Markdown: tables, and text that cannot break them."""

from collections.abc import Mapping, Sequence
from typing import Any


def table(header: Sequence[str], lines: Sequence[Sequence[str]], left: int) -> str:
    """A Markdown table whose first ``left`` columns are aligned left, the others right."""
    rule = [":--" if index < left else "--:" for index in range(len(header))]
    cells = [list(header), rule, *[[escaped(cell) for cell in line] for line in lines]]
    return "\n".join("| " + " | ".join(line) + " |" for line in cells) + "\n"


def escaped(text: str) -> str:
    """Text on one line that cannot end a table's cell."""
    return " ".join(text.replace("|", "\\|").split())


def error_text(error: Any) -> str:
    """An error of a record on one line: its type and text."""
    if isinstance(error, Mapping):
        error = ": ".join(str(error[key]) for key in ("type", "text") if error.get(key))
    return " ".join(str(error).split()) if error else "without a message"
