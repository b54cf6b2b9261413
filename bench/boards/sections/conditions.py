"""Board section: measurements under conditions (``name@condition``) that no other section shows."""

from bench.boards.markdown import table
from bench.boards.sections.section import Section
from bench.plugins import MEASUREMENTS, in_runtimes
from bench.records import formatting
from bench.records.protocols import base_name
from bench.records.rows import ROBUST

HEADING = "Other conditions"


def text(section: Section) -> str:
    """A table with a column for each such measurement; empty if there is none."""
    deployed = in_runtimes(MEASUREMENTS.names())  # section "Runtimes" shows these
    units = {
        name: str(figure.get("unit", ""))
        for row in section.rows
        for item in row.records
        for name, figure in item.record["measurements"].items()
        if "@" in name and name not in ROBUST and base_name(name) not in deployed
    }
    names = sorted(units)
    lines = [[f"`{row.system}`", *(formatting.of_unit(row[n], units[n]) for n in names)] for row in section.rows]
    return table(["System", *[f"`{name}`" for name in names]], lines, 1) if units else ""
