"""Lists the sections of a board in order, and renders them with their pictures."""

from collections.abc import Callable
from types import ModuleType

from bench.boards.sections import (
    compressed,
    conditions,
    early_exits,
    failures,
    layer_sweep,
    other_data,
    other_machines,
    retraining,
    robustness,
    runtimes,
)
from bench.boards.sections.section import Section

SECTIONS: tuple[ModuleType, ...] = (
    runtimes, other_machines, other_data, compressed, retraining, robustness, conditions, early_exits, layer_sweep,
    failures,
)  # fmt: skip


def sections_text(
    section: Section, suffix: str, image: str, title: Callable[[str], str], description: str
) -> tuple[list[str], dict[str, bytes]]:
    """The sections that these rows need, as Markdown, and their pictures by file name.

    ``image`` is the file name of the leaderboard's own picture, after which the pictures are named; ``title`` makes a
    picture's title from a heading, to which the page adds ``suffix``; ``description`` is stored in each picture.
    """
    parts: list[str] = []
    files: dict[str, bytes] = {}
    for module in SECTIONS:
        text = module.text(section)
        if not text:
            continue
        parts.append(f"## {module.HEADING}{suffix}\n")
        plot = module.picture(section, title(module.HEADING), description) if hasattr(module, "PICTURE") else None
        if plot is not None:
            name = image.replace(".svg", f"-{module.PICTURE}.svg")
            files[name] = plot
            parts.append(f"![{module.ALT}]({name})\n")
        parts.append(text)
    return parts, files
