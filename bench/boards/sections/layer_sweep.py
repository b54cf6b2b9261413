"""Chosen centroids on a board: which layers suffer from few of them, and a picture of each layer's sweep."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.boards import leaderboard as board
from bench.boards.scatter_plot import BLUE, FONT, GREY, ORANGE, svg
from bench.records import formatting
from bench.records.rows import BoardRow
from tasks.compression.storage import parse_storage

COLUMNS = 6  # panels side by side
WIDTH, TITLE, HEADING, PANEL, BELOW = 10.0, 0.45, 0.65, 1.15, 0.35  # inches of 72 points; all but the first are heights
SMALL = 7.0  # points: 37 layers of a cascade have to fit
NAMED = 5  # layers that the text says suffer most
ANSWER = "answer"  # the way of answering that is a system's own

Sweep = Mapping[str, Sequence[Mapping[str, Any]]]


def sweeps_text(rows: Sequence[BoardRow]) -> str:
    """What was chosen for each system that has a budget, and which layers suffer; nothing where none has one."""
    lines = [_line(row.system, found) for row in rows if (found := _storage(row))]
    header = [
        "System", "Layers quantised", "Their centroids",
        "Points lost on validation by the head that loses most (at most, at 95 %)",
        "Networks judged", "Suffer most: fewest centroids that alone stay within the budget (points lost by half)",
    ]  # fmt: skip
    return board.table(header, lines, 1) + "\n" if lines else ""


def sweeps_picture(rows: Sequence[BoardRow], title: str, description: str) -> bytes | None:
    """The SVG of each layer's accuracy against its bytes; None where no system has a sweep.

    Args:
        rows: of one section.
        title: shown above all.
        description: stored as the file's metadata.
    """
    found = [(row.system, storage) for row in rows if (storage := _storage(row))]
    if not found:
        return None
    return svg(lambda: _draw(found, title), title, description)


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
    return found.within or 0.0 if found else 0.0


def _draw(found: Sequence[tuple[str, Mapping[str, Any]]], title: str) -> Figure:
    depths = [-(-len(storage["sweep"]) // COLUMNS) for _, storage in found]
    height = TITLE + sum(HEADING + PANEL * depth for depth in depths) + BELOW
    figure = Figure(figsize=(WIDTH, height), dpi=72, facecolor="white")
    figure.text(0.03, 1 - 0.3 / height, title, fontsize=12, fontweight="bold")
    top = height - TITLE
    for (system, storage), depth in zip(found, depths, strict=True):
        accuracy, images = storage["validation"]["accuracy"][ANSWER], storage["validation"]["images"]
        said = (
            f"{formatting.percent(accuracy)} % of {images:,} validation characters in float32; single layers, on "
            f"{storage['sweep_images']:,}: accuracy, %, against kB"
        )
        figure.text(0.97, (top - 0.3) / height, said, fontsize=SMALL, color=GREY, ha="right")
        figure.text(0.03, (top - 0.3) / height, system, fontsize=FONT, fontweight="bold")
        panels = product(range(depth), range(COLUMNS))
        for (down, across), name in zip(panels, storage["sweep"], strict=False):
            lower = (top - HEADING - PANEL * down - 0.62 * PANEL) / height
            frame = (0.055 + 0.157 * across, lower, 0.125, 0.62 * PANEL / height)
            _panel(figure.add_axes(frame, facecolor="white"), name, storage, first=across == 0)
        top -= HEADING + PANEL * depth
    figure.legend(handles=_legend(figure), loc="lower center", ncols=3, frameon=False, fontsize=FONT)
    return figure


def _panel(axes: Axes, name: str, storage: Mapping[str, Any], first: bool) -> None:
    """One layer: accuracy, %, with it alone quantised, against its kilobytes."""
    options, budget = storage["sweep"][name], _budget(storage)
    top = 100 * storage["validation"]["accuracy"][ANSWER]
    floor = top - 2.2 * max(budget, 0.5)  # what loses more stands at the lower edge
    sizes = [option["bytes"] / 1000 for option in options]
    heights = [max(top - option["lost"], floor) for option in options]
    axes.axhline(top - budget, color=ORANGE, linewidth=0.8, linestyle="--")
    axes.plot(sizes, heights, "o-", color=BLUE, linewidth=1.0, markersize=2.2)
    cut = [(s, h) for s, h, o in zip(sizes, heights, options, strict=True) if top - o["lost"] < floor]
    axes.plot([s for s, _ in cut], [h for _, h in cut], "v", color=BLUE, markersize=4, clip_on=False)
    clusters = storage["clusters"][name]
    chosen = [(s, h) for s, h, o in zip(sizes, heights, options, strict=True) if o["clusters"] == clusters]
    axes.plot([s for s, _ in chosen], [h for _, h in chosen], "D", color=ORANGE, markersize=5)
    axes.set_title(f"{_short(name)}: {clusters or 'float32'}", fontsize=SMALL, pad=2, loc="left")
    gained = max((-option["lost"] for options in storage["sweep"].values() for option in options), default=0.0)
    axes.set_ylim(floor, top + max(gained, 0.0) + 0.3 * max(budget, 0.5))
    axes.set_xlim(0, 1.08 * max(sizes, default=1.0))
    axes.set_yticks([top - budget, top] if budget else [top])
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.1f}" if first else "")
    axes.set_xticks([0, max(sizes, default=1.0)])
    axes.xaxis.set_major_formatter(
        lambda value, _: (f"{value:,.0f}" if value > 99 else f"{value:.3g}") + " kB" * bool(value)
    )
    axes.tick_params(labelsize=SMALL, length=2, pad=1.5, color=GREY)
    axes.grid(axis="y", color="#e4e4e4", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _legend(figure: Figure) -> list[Any]:
    axes = figure.add_axes((0, 0, 0, 0), frameon=False, xticks=[], yticks=[])
    return [
        axes.plot([], [], "o-", color=BLUE, markersize=3, label="this layer alone at 256, 128 … centroids")[0],
        axes.plot([], [], "D", color=ORANGE, linestyle="none", label="chosen for the whole network")[0],
        axes.plot([], [], "--", color=ORANGE, label="the budget")[0],
    ]  # fmt: skip


def _short(name: str) -> str:
    return name.removeprefix("network.").removesuffix(".weight")
