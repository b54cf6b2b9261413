"""What records say beside a claim: figures of the claimed system, or whether a claimed order was seen."""

from collections.abc import Mapping, Sequence
from typing import Any

from bench.audit.claims import Claim
from bench.records.load import Stored
from bench.records.protocols import Protocol
from bench.records.rows import BoardRow, Figure, board_rows, sections

HELD, NOT_HELD, UNDECIDED = "held", "did not hold", "undecided"
# A claim's metric -> the measurement that speaks to it, and what one unit of the claim is worth in its unit.
_MEASURED = {"accuracy": ("accuracy", 0.01), "latency_ms": ("latency", 1e6)}


class Measured:
    """The rows of all boards, looked up by claim; those stored in fewer bits speak where a claim names them alone.

    Args:
        stored: all records.
        protocols: how measurements are made today; older values do not speak.
    """

    def __init__(self, stored: Sequence[Stored], protocols: Mapping[str, Protocol]) -> None:
        self._boards = _boards([item for item in stored if not item.record.get("storage")], protocols)
        self._packed = _boards([item for item in stored if item.record.get("storage")], protocols)

    def beside(self, claim: Claim) -> list[dict[str, Any]]:
        """What was measured of a claim, board by board; empty where nothing was."""
        if claim.check.get("order"):
            return [found for first, rows in self._boards for found in _order(claim.check["order"], first, rows)]
        asked = claim.check.get("measured", {})
        if claim.metric not in _MEASURED or claim.system is None or (claim.part and not asked):
            return []
        name, unit = _MEASURED[claim.metric]
        name, recipes, system = asked.get("of", name), asked.get("recipes"), asked.get("system")
        return [
            {**_place(first, row), **_figure(row[name], unit)}
            for first, rows in (*self._boards, *(self._packed if system else ()))
            for row in rows
            if row.system == system or (not system and _base(row.system) == claim.system)
            if row.trained and row[name].value is not None
            if recipes is None or row.recipe in recipes
        ]


def _boards(
    stored: Sequence[Stored], protocols: Mapping[str, Protocol]
) -> list[tuple[Mapping[str, Any], list[BoardRow]]]:
    """The rows of each section of a board, with the section's first record."""
    groups: dict[tuple[str, str], list[Stored]] = {}
    for item in stored:
        if item.record["dataset"]:
            groups.setdefault((item.record["suite"], item.record["dataset"]["name"]), []).append(item)
    parts = [section for key in sorted(groups) for section in sections(groups[key])]
    return [(section[0].record, board_rows(section, protocols)) for section in parts]


def _order(order: Mapping[str, Any], first: Mapping[str, Any], rows: Sequence[BoardRow]) -> list[dict[str, Any]]:
    """Whether the ``higher`` system was measured above the ``lower`` one on the same machine; by intervals.

    By the same recipe, or by the pairs of recipes, the higher one's first, that the claim compares.
    """
    name = order.get("of", "accuracy")
    found = []
    for above in rows:
        for below in rows:
            recipes = [above.recipe, below.recipe]
            compared = recipes in order["recipes"] if "recipes" in order else above.recipe == below.recipe
            if (
                above.machine != below.machine
                or not compared
                or (_base(above.system), _base(below.system)) != (order["higher"], order["lower"])
            ):
                continue
            high, low = above[name], below[name]
            if None not in (high.value, high.low, high.high, low.value, low.low, low.high):
                outcome = _outcome(high, low)
                systems = {"higher": above.system, "lower": below.system, "of": name, "outcome": outcome}
                found.append({**_place(first, above), **systems, "values": [high.value, low.value]})
    return found


def _outcome(high: Figure, low: Figure) -> str:
    if (high.low or 0.0) > (low.high or 0.0):
        return HELD
    return NOT_HELD if (high.high or 0.0) < (low.low or 0.0) else UNDECIDED


def _place(first: Mapping[str, Any], row: BoardRow) -> dict[str, Any]:
    dataset = first["dataset"]
    return {
        "dataset": dataset["name"], "synthetic": dataset["synthetic"], "classes": dataset["classes"],
        "scale": first["scale"], "system": row.system, "recipe": row.recipe, "machine": row.machine,
    }  # fmt: skip


def _figure(figure: Figure, unit: float) -> dict[str, Any]:
    """A figure in the unit of the claim, to six digits: more would differ between machines."""
    values = {"value": figure.value, "low": figure.low, "high": figure.high}
    return {key: None if value is None else float(f"{value / unit:.6g}") for key, value in values.items()}


def _base(system: str) -> str:
    return system.split("+")[0]
