"""Board section: numbers of centroids chosen per layer, and the layers that tolerate few centroids least."""

from collections.abc import Mapping, Sequence
from typing import Any

from bench.boards.markdown import table
from bench.boards.sections.section import Section
from bench.records import formatting
from tasks.compression.storage import parse_storage

HEADING = "Chosen centroids"
NAMED = 5  # most sensitive layers that a line names

Options = Sequence[Mapping[str, Any]]  # of one layer: the accuracy lost with each number of centroids


def text(section: Section) -> str:
    """A table with a line for each system whose centroids were chosen within a budget; empty if there is none."""
    # The first record only: each seed chooses anew.
    stored = ((row.system, row.records[0].record.get("storage") or {}) for row in section.rows)
    lines = [_line(system, storage) for system, storage in stored if storage.get("sweep")]
    header = [
        "System", "Layers quantised", "Their centroids",
        "Points lost on validation by the head that loses most (upper 95 % bound)", "Networks evaluated",
        "Most sensitive layers: centroids that each needs if only it is quantised (points lost with half as many)",
    ]  # fmt: skip
    return table(header, lines, 1) + "\n" if lines else ""


def _line(system: str, storage: Mapping[str, Any]) -> list[str]:
    chosen = [clusters for clusters in storage["clusters"].values() if clusters]
    span = f"{min(chosen)}–{max(chosen)}" if chosen else formatting.NONE
    validation = storage["validation"]
    lost = f"{max(validation['lost'].values()):.2f} ({validation['lost_and_margin']:.2f})"
    parsed = parse_storage(str(storage["name"]))
    budget = parsed.settings.within or 0.0 if parsed else 0.0
    sensitivity = {name: _sensitivity(options, budget) for name, options in storage["sweep"].items()}
    worst = sorted(sensitivity.items(), key=lambda item: item[1], reverse=True)[:NAMED]
    return [
        f"`{system}`", f"{len(chosen)} of {len(storage['clusters'])}", span,
        f"{lost} of {validation['images']:,} characters", f"{storage['evaluations']:,}",
        ", ".join(_layer_text(name, *figures) for name, figures in worst),
    ]  # fmt: skip


def _sensitivity(options: Options, budget: float) -> tuple[float, float]:
    """The fewest centroids that keep a layer within the budget, and the points lost at the next step."""
    within = [option["clusters"] for option in options if option["lost"] <= budget]
    beyond = [option["lost"] for option in options if option["lost"] > budget]
    return min(within, default=float("inf") if beyond else 0), max(beyond, default=0.0)


def _layer_text(name: str, fewest: float, lost: float) -> str:
    short = name.removeprefix("network.").removesuffix(".weight")
    return f"{short} {'none' if fewest == float('inf') else f'{fewest:g}'}" + (f" ({lost:.2f})" if lost else "")
