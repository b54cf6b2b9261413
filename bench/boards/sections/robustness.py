"""Board section: accuracy on rotated, mirrored and resized characters."""

from bench.boards.markdown import table
from bench.boards.sections.section import Section
from bench.records import formatting
from bench.records.rows import ROBUST, dropped

HEADING = "Robustness"


def text(section: Section) -> str:
    """A table of accuracies under each condition and on the unchanged characters; empty if there are none."""
    names = sorted({name for row in section.rows for name in row.figures if name in ROBUST})
    header = ["System", "Recipe", "Clean, % [95 %]"]
    for name in names:
        condition = name.partition("@")[2].capitalize()
        header += [f"{condition}, % [95 %]", "lost, points [95 %]"]
    lines = []
    for row in section.rows:
        cells = [f"`{row.system}`", row.recipe or formatting.NONE, formatting.accuracy(row["accuracy"])]
        for name in names:
            cells += [formatting.accuracy(row[name]), formatting.points(row[dropped(name)])]
        lines.append(cells)
    return table(header, lines, 2) if names else ""
