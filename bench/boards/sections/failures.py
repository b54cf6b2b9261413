"""Section of a board: rows that failed and measurements without a value, with their errors."""

from bench.boards.markdown import error_text, table
from bench.boards.sections.section import Section

HEADING = "Failed"


def text(section: Section) -> str:
    """A line for each error; empty where there is none."""
    lines = []
    for item in section.stored:
        record = item.record
        who = [f"`{record['system']}`", str(record["seed"])]
        if record["status"] == "failed":
            lines.append([*who, "the row", error_text(record.get("error"))])
        for name, figure in sorted(record["measurements"].items()):
            if figure.get("error"):
                lines.append([*who, f"`{name}`", error_text(figure["error"])])
    return table(["System", "Seed", "Failed", "Error"], lines, 4) if lines else ""
