"""Section of a board: centroids chosen layer by layer, and which layers lose most with few of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from bench.boards.markdown import table
from bench.boards.sections.section import Section
from bench.records import formatting
from bench.records.rows import BoardRow
from tasks.compression.storage import parse_storage

HEADING = "Chosen centroids"
NAMED = 5  # layers that the text says suffer most

Sweep = Mapping[str, Sequence[Mapping[str, Any]]]


def text(section: Section) -> str:
    """What was chosen for each system that has a budget, and which layers suffer; nothing where none has one."""
    lines = [_line(row.system, found) for row in section.rows if (found := _storage(row))]
    header = [
        "System", "Layers quantised", "Their centroids",
        "Points lost on validation by the head that loses most (at most, at 95 %)",
        "Networks judged", "Suffer most: fewest centroids that alone stay within the budget (points lost by half)",
    ]  # fmt: skip
    return table(header, lines, 1) + "\n" if lines else ""


def _storage(row: BoardRow) -> Mapping[str, Any]:
    """What a row's first record says of its storage, where that was chosen; each seed chooses anew."""
    found: Mapping[str, Any] = row.records[0].record.get("storage") or {}
    return found if found.get("sweep") else {}


def _line(system: str, storage: Mapping[str, Any]) -> list[str]:
    chosen = [clusters for clusters in storage["clusters"].values() if clusters]
    span = f"{min(chosen)}–{max(chosen)}" if chosen else formatting.NONE
    seen = storage["validation"]
    lost = f"{max(seen['lost'].values()):.2f} ({seen['lost_and_margin']:.2f}) of {seen['images']:,} characters"
    suffering = sorted(storage["sweep"].items(), key=lambda one: _suffers(one[1], _budget(storage)), reverse=True)
    said = [_suffering(name, options, _budget(storage)) for name, options in suffering[:NAMED]]
    return [
        f"`{system}`", f"{len(chosen)} of {len(storage['clusters'])}", span, lost, f"{storage['evaluations']:,}",
        ", ".join(said),
    ]  # fmt: skip


def _suffers(options: Sequence[Mapping[str, Any]], budget: float) -> tuple[float, float]:
    """By what layers are compared: the fewest centroids that they bear, then what the next step loses."""
    borne = [option["clusters"] for option in options if option["lost"] <= budget]
    beyond = [option["lost"] for option in options if option["lost"] > budget]
    least = min(borne, default=float("inf") if beyond else 0)
    return least, max(beyond, default=0.0)


def _suffering(name: str, options: Sequence[Mapping[str, Any]], budget: float) -> str:
    least, lost = _suffers(options, budget)
    fewest = "none" if least == float("inf") else f"{least:g}"
    return f"{_short(name)} {fewest}" + (f" ({lost:.2f})" if lost else "")


def _budget(storage: Mapping[str, Any]) -> float:
    found = parse_storage(str(storage["name"]))
    return found.settings.within or 0.0 if found else 0.0


def _short(name: str) -> str:
    return name.removeprefix("network.").removesuffix(".weight")
