"""Finds measured figures for a claim in the records: values of the claimed system, or whether a claimed order held."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from bench.audit.claims import Claim
from bench.records.load import Stored
from bench.records.protocols import Protocol
from bench.records.rows import BoardRow, Figure, board_rows, sections

HELD, NOT_HELD, UNDECIDED = "held", "did not hold", "undecided"
# A claim's metric -> the corresponding measurement, and one unit of the claim in the measurement's unit.
_MEASURED = {"accuracy": ("accuracy", 0.01), "latency_ms": ("latency", 1e6)}


class Measured:
    """The rows of all boards, looked up by claim.

    Rows of compressed systems are used only for claims that name them; values of older protocols are ignored.
    """

    def __init__(self, stored: Sequence[Stored], protocols: Mapping[str, Protocol]) -> None:
        self._boards = _boards([item for item in stored if not item.record.get("storage")], protocols)
        self._compressed = _boards([item for item in stored if item.record.get("storage")], protocols)

    def figures_for(self, claim: Claim) -> list[dict[str, Any]]:
        """The measured figures for a claim, board by board; empty if there are none."""
        if claim.check.get("order"):
            return [outcome for first, rows in self._boards for outcome in _order(claim.check["order"], first, rows)]
        options = claim.check.get("measured", {})
        if claim.metric not in _MEASURED or claim.system is None or (claim.part and not options):
            return []
        name, unit = _MEASURED[claim.metric]
        name, recipes, system = options.get("of", name), options.get("recipes"), options.get("system")
        return [
            {**_place(first, row), **_figure(row[name], unit)}
            for first, rows in (*self._boards, *(self._compressed if system else ()))
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
    """Whether the ``higher`` system's interval lies above that of the ``lower`` one, on the same machine.

    Compares rows of the same recipe, or of the pairs of ``recipes`` (higher first) that the claim names.
    """
    name = order.get("of", "accuracy")
    outcomes = []
    for above, below in product(rows, repeat=2):
        recipes = [above.recipe, below.recipe]
        compared = recipes in order["recipes"] if "recipes" in order else above.recipe == below.recipe
        systems = (_base(above.system), _base(below.system))
        if above.machine != below.machine or not compared or systems != (order["higher"], order["lower"]):
            continue
        high, low = above[name], below[name]
        if None not in (high.value, high.low, high.high, low.value, low.low, low.high):
            outcomes.append({
                **_place(first, above), "higher": above.system, "lower": below.system, "of": name,
                "outcome": _outcome(high, low), "values": [high.value, low.value],
            })  # fmt: skip
    return outcomes


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
    """A figure in the unit of the claim, rounded to six digits, as further digits differ between machines."""
    values = {"value": figure.value, "low": figure.low, "high": figure.high}
    return {key: None if value is None else float(f"{value / unit:.6g}") for key, value in values.items()}


def _base(system: str) -> str:
    return system if "~" in system else system.split("+")[0]  # varied recipes answer no claim
