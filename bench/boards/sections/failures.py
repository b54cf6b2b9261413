"""Board section: failed rows and failed measurements, with their errors."""

from bench.boards.markdown import error_text, table
from bench.boards.sections.section import Section

HEADING = "Failed"


def text(section: Section) -> str:
    """A table with a line for each error; empty if there is none."""
    lines = []
    records = [item.record for item in section.stored]
    several = len({record["machine"]["name"] for record in records}) > 1
    for record in records:
        errors = {"the row": record.get("error")} if record["status"] == "failed" else {}
        errors |= {
            f"`{name}`": one["error"] for name, one in sorted(record["measurements"].items()) if one.get("error")
        }
        machine = [f"`{record['machine']['name']}`"] if several else []
        row = [f"`{record['system']}`", *machine, str(record["seed"])]
        lines += [[*row, what, error_text(error)] for what, error in errors.items()]
    header = ["System", *(["Machine"] if several else []), "Seed", "What failed", "Error"]
    return table(header, lines, len(header)) if lines else ""
