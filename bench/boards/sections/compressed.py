"""Board section: rows compressed from another row's weights, with paired accuracy differences and file sizes."""

from collections.abc import Mapping, Sequence
from typing import Any

from bench.boards.markdown import table
from bench.boards.sections.section import Section
from bench.records import formatting
from bench.records.rows import BoardRow, Figure

HEADING = "Compared with the parent row"
NEAR = 0.01  # accuracy difference that counts as "within 1 point" of the parent


def text(section: Section) -> str:
    """A table with a line for each row that has a parent, smallest file first; empty if there is none."""
    rows = section.rows
    children = sorted((row for row in rows if _entry(row, "parent")), key=lambda row: row["size_bytes"].value or 0.0)
    sizes = {row.system: row["size_bytes"].value for row in rows}
    header = [
        "System", "Parent", "Accuracy, %", "Difference to parent, points [95 %]", "Size (MB)", "Size, % of parent's",
        "Entropy (MB)", "HDF5 + gzip of codes (MB)", "HDF5 + gzip of floats (MB)",
    ]  # fmt: skip
    lines = [_line(row, sizes) for row in children]
    return table(header, lines, 2) + "\n" + _NOTE + _smallest(children) if lines else ""


def _line(row: BoardRow, sizes: Mapping[str, float | None]) -> list[str]:
    parent, storage = _entry(row, "parent")["system"], _entry(row, "storage")
    size, parent_size = row["size_bytes"].value, sizes.get(parent)
    share = formatting.percent(size / parent_size) if size is not None and parent_size else formatting.NONE
    hdf5 = storage.get("hdf5", {})
    coded = (Figure(value) for value in (storage.get("entropy_bytes"), hdf5.get("codes"), hdf5.get("floats")))
    return [
        f"`{row.system}`", f"`{parent}`", formatting.share(row["accuracy"]), formatting.points(_difference(row)),
        formatting.millions(row["size_bytes"]), share, *map(formatting.millions, coded),
    ]  # fmt: skip


def _smallest(children: Sequence[BoardRow]) -> str:
    """For each parent, the smallest stored file whose loss is at most NEAR at the 95 % bound."""
    texts: dict[str, str] = {}
    for row in children:
        low = _difference(row).low
        if _entry(row, "storage") and low is not None and low >= -NEAR:
            parent = _entry(row, "parent")["system"]
            size = formatting.millions(row["size_bytes"])
            texts.setdefault(parent, f"- Smallest within 1 point of `{parent}`, at 95 %: `{row.system}`, {size} MB.")
    return "".join(f"{text}\n" for text in texts.values())


def _difference(row: BoardRow) -> Figure:
    paired = _entry(row, "parent").get("accuracy") or {}
    return Figure(paired.get("difference"), paired.get("ci_low"), paired.get("ci_high"))


def _entry(row: BoardRow, key: str) -> Mapping[str, Any]:
    """An entry of the row's first record; seeds have different parents, so they are not averaged."""
    entry: Mapping[str, Any] = row.records[0].record.get(key) or {}
    return entry


_NOTE = (
    "The parent is the system whose trained weights the row is made from. Accuracy differences are paired: both "
    "systems classify the same test characters. Entropy: bytes that an ideal coder needs for the codes and the tables. "
    "HDF5 + gzip: size of the HDF5 file with one byte per code, or with the floats themselves, as quant-retrain stores "
    "them.\n\n"
)
