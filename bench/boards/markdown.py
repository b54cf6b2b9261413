"""Writes Markdown tables, and escapes text for their cells."""

from collections.abc import Mapping, Sequence
from typing import Any


def table(header: Sequence[str], lines: Sequence[Sequence[str]], left: int) -> str:
    """A Markdown table; its first ``left`` columns are left-aligned, the others right-aligned."""
    rule = [":--" if index < left else "--:" for index in range(len(header))]
    cells = [list(header), rule, *[[escaped(cell) for cell in line] for line in lines]]
    return "\n".join("| " + " | ".join(line) + " |" for line in cells) + "\n"


def escaped(text: str) -> str:
    """Text on one line, with ``|`` escaped for a table's cell."""
    return " ".join(text.replace("|", "\\|").split())


def error_text(error: Any) -> str:
    """Type and text of a record's error on one line."""
    if isinstance(error, Mapping):
        error = ": ".join(str(error[key]) for key in ("type", "text") if error.get(key))
    return " ".join(str(error).split()) if error else "without a message"
