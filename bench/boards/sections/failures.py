"""Board section: failed rows and failed measurements, with their errors."""

from bench.boards.markdown import error_text, table
from bench.boards.sections.section import Section

HEADING = "Failed"


def text(section: Section) -> str:
    """A table with a line for each error; empty if there is none."""
    lines = []
    for record in (item.record for item in section.stored):
        errors = {"the row": record.get("error")} if record["status"] == "failed" else {}
        errors |= {
            f"`{name}`": one["error"] for name, one in sorted(record["measurements"].items()) if one.get("error")
        }
        lines += [[f"`{record['system']}`", str(record["seed"]), what, error_text(e)] for what, e in errors.items()]
    return table(["System", "Seed", "What failed", "Error"], lines, 4) if lines else ""
