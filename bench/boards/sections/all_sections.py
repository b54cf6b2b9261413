"""The sections of a board in their order, and their pictures."""

from collections.abc import Callable
from types import ModuleType

from bench.boards.sections import (
    compressed,
    conditions,
    early_exits,
    failures,
    layer_sweep,
    retraining,
    robustness,
    runtimes,
)
from bench.boards.sections.section import Section

SECTIONS: tuple[ModuleType, ...] = (
    runtimes, compressed, retraining, robustness, conditions, early_exits, layer_sweep, failures,
)  # fmt: skip


def sections_text(
    section: Section, suffix: str, image: str, title: Callable[[str], str], description: str
) -> tuple[list[str], dict[str, bytes]]:
    """The sections that these rows call for, as Markdown, and their pictures by file name.

    Args:
        section: rows of one scale and one data set.
        suffix: of the headings.
        image: file name of the leaderboard's own picture; those of sections are named after it.
        title: of a picture, from a heading.
        description: stored in each picture.
    """
    parts: list[str] = []
    files: dict[str, bytes] = {}
    for one in SECTIONS:
        text = one.text(section)
        if not text:
            continue
        parts.append(f"## {one.HEADING}{suffix}\n")
        drawn = one.picture(section, title(one.HEADING), description) if hasattr(one, "PICTURE") else None
        if drawn is not None:
            name = image.replace(".svg", f"-{one.PICTURE}.svg")
            files[name] = drawn
            parts.append(f"![{one.ALT}]({name})\n")
        parts.append(text)
    return parts, files
