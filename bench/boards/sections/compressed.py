"""Rows made from another row's weights on a board: what they lose in pairs with it, and what their files take."""

from collections.abc import Mapping, Sequence
from typing import Any

from bench.boards.markdown import table
from bench.boards.sections.section import Section
from bench.records import formatting
from bench.records.formatting import MILLION
from bench.records.rows import BoardRow, Figure

HEADING = "Compared with the parent row"
NEAR = 0.01  # of accuracy: "within 1 point" of the parent


def text(section: Section) -> str:
    """A line for each row that has a parent, the smallest file first; nothing where none has one."""
    rows = section.rows
    found = sorted((row for row in rows if _parent(row)), key=lambda row: row["size_bytes"].value or 0.0)
    sizes = {row.system: row["size_bytes"].value for row in rows}
    header = [
        "System", "Parent", "Accuracy, %", "minus parent's, points [95 %]", "Size (MB)", "of parent's, %",
        "Entropy (MB)", "HDF5 + gzip of codes (MB)", "HDF5 + gzip of floats (MB)",
    ]  # fmt: skip
    lines = [_line(row, sizes) for row in found]
    return table(header, lines, 2) + "\n" + _NOTE + _smallest(found) if lines else ""


def _line(row: BoardRow, sizes: Mapping[str, float | None]) -> list[str]:
    parent, storage = _parent(row), _said(row, "storage")
    size, whole = row["size_bytes"].value, sizes.get(parent["system"])
    hdf5 = storage.get("hdf5", {})
    return [
        f"`{row.system}`",
        f"`{parent['system']}`",
        formatting.share(row["accuracy"]),
        formatting.points(_difference(parent)),
        formatting.millions(row["size_bytes"]),
        formatting.NONE if size is None or not whole else formatting.percent(size / whole),
        *(_megabytes(value) for value in (storage.get("entropy_bytes"), hdf5.get("codes"), hdf5.get("floats"))),
    ]


def _smallest(found: Sequence[BoardRow]) -> str:
    """For each parent the smallest stored file that surely, at 95 %, loses no more than NEAR."""
    texts: dict[str, str] = {}
    for row in found:
        low = _difference(_parent(row)).low
        if _said(row, "storage") and low is not None and low >= -NEAR:
            parent = _parent(row)["system"]
            size = formatting.millions(row["size_bytes"])
            texts.setdefault(parent, f"- Smallest within 1 point of `{parent}`, at 95 %: `{row.system}`, {size} MB.")
    return "".join(f"{text}\n" for text in texts.values())


def _difference(parent: Mapping[str, Any]) -> Figure:
    said = parent.get("accuracy") or {}
    return Figure(said.get("difference"), said.get("ci_low"), said.get("ci_high"))


def _parent(row: BoardRow) -> Mapping[str, Any]:
    return _said(row, "parent")


def _said(row: BoardRow, key: str) -> Mapping[str, Any]:
    """What a row's first record says: seeds have parents of their own, which are not joined."""
    found: Mapping[str, Any] = row.records[0].record.get(key) or {}
    return found


def _megabytes(value: float | None) -> str:
    return formatting.NONE if value is None else formatting.digits(value / MILLION)


_NOTE = (
    "Differences are of answers to the same test characters. Entropy is what an ideal coder would need for codes and "
    "tables, HDF5 + gzip what that file takes for one byte a code, or for the floats themselves, as quant-retrain "
    "stores them.\n\n"
)
