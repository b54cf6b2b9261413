"""Draws a board's scatter plot, accuracy against latency, as an SVG with the same bytes on every machine."""

import io
import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from bench.boards.label_placement import Box, place
from bench.records.formatting import MILLION
from bench.records.rows import BoardRow

SIZE = (10.0, 6.2)  # inches of 72 points; GitHub shows boards about 1000 pixels wide
FRAME = (0.075, 0.145, 0.9, 0.735)  # left, bottom, width and height of the axes as shares of the figure
FONT = 9.0  # points
# Blue and orange of Okabe and Ito's colour-blind-safe palette; the markers differ in shape too.
BLUE, ORANGE, GREY = "#0072B2", "#B35900", "#666666"
ACCURACY_TICKS = (0, 30, 50, 70, 80, 90, 95, 98, 99, 99.5, 99.8, 99.9, 99.95, 99.98, 99.99)
FACE = "DejaVu Sans"  # comes with matplotlib, so the layout is the same on every machine
FALLBACK = "Verdana, sans-serif"  # for viewers without DejaVu Sans; Verdana is as wide
STYLE: dict[Any, Any] = {
    "svg.hashsalt": "hccr-bench",  # without it matplotlib draws random identifiers
    "svg.fonttype": "none",  # text stays text: small files, and no outlines that depend on FreeType
    "font.family": FACE,
    "font.size": FONT,
}
LONGEST_TITLE = 78  # characters of 12 points that fit the width


@dataclass(frozen=True)
class Point:
    """One row of the plot; errors are shares, not per cent.

    ``faultless``: no test error. A logarithmic axis cannot show 0, so ``error`` is then half an image.
    """

    name: str
    error: float
    error_low: float
    error_high: float
    ratio: float
    ratio_low: float
    ratio_high: float
    pareto: bool
    faultless: bool


def picture(rows: Sequence[BoardRow], title: str, description: str) -> bytes | None:
    """The SVG of one section's rows; None if no row has both accuracy and latency.

    ``title`` is shown above the axes; ``description`` is stored in the file's metadata.
    """
    points = _points(rows)
    return svg(lambda: draw(points, title, _reference_ms(rows)), title, description) if points else None


def svg(draw: Callable[[], Figure], title: str, description: str) -> bytes:
    """The figure that ``draw`` makes, as SVG in the style of all boards; title and description are metadata."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # ignore the user's matplotlibrc
        matplotlib.rcParams.update(STYLE)
        buffer = io.BytesIO()
        metadata = {"Date": None, "Creator": None, "Title": title, "Description": description}
        draw().savefig(buffer, format="svg", metadata=metadata)
    return buffer.getvalue().replace(f"'{FACE}'".encode(), f"'{FACE}', {FALLBACK}".encode())


def title_size(title: str) -> float:
    """Font size in points at which a title fits the width of a picture."""
    return 12 * min(1, LONGEST_TITLE / len(title))


def draw(points: Sequence[Point], title: str, reference_ms: float | None) -> Figure:
    """Draw the figure; ``reference_ms`` adds a milliseconds axis."""
    figure = Figure(figsize=SIZE, dpi=72, facecolor="white")
    axes = figure.add_axes(FRAME, facecolor="white")
    _scales(axes, points, reference_ms)
    front = sorted((p for p in points if p.pareto), key=lambda p: p.ratio)
    axes.plot([p.ratio for p in front], [p.error for p in front], color=BLUE, linewidth=1.2, alpha=0.6, zorder=2)
    for point in points:
        _draw_point(axes, point)
    _draw_labels(axes, points)
    left, bottom, _, height = FRAME
    figure.text(left, bottom + height + 0.08, title, fontsize=title_size(title), fontweight="bold")
    axes.plot([], [], "o-", color=BLUE, label="Pareto front: no other system is both faster and more accurate")
    if len(front) < len(points):
        axes.plot([], [], "s", color=ORANGE, markerfacecolor="white", label="other systems")
    figure.legend(loc="lower center", ncols=2, frameon=False)
    return figure


def _points(rows: Sequence[BoardRow]) -> list[Point]:
    counts = [item.record["dataset"].get("test") or 0 for row in rows for item in row.records]
    # Half a test image, the error of a faultless system; 50: with fewer test images the axis would end below 99 %.
    floor = 0.5 / max([*counts, 50])
    points = []
    for row in rows:
        accuracy, ratio = row["accuracy"], row["ratio"]
        if accuracy.value is None or not ratio.value or row.rank is None:
            continue
        low = accuracy.value if accuracy.low is None else accuracy.low
        high = accuracy.value if accuracy.high is None else accuracy.high
        error, error_low, error_high = (max(1 - value, floor) for value in (accuracy.value, high, low))
        points.append(Point(
            row.system, error, error_low, error_high, ratio.value, ratio.low or ratio.value, ratio.high or ratio.value,
            row.pareto, faultless=accuracy.value >= 1,
        ))  # fmt: skip
    return points


def _reference_ms(rows: Sequence[BoardRow]) -> float | None:
    """Milliseconds of the reference network, from the rows' latencies and ratios; None without any."""
    known = [(row["latency"].value, row["ratio"].value) for row in rows]
    implied = [latency / ratio / MILLION for latency, ratio in known if latency and ratio]
    return statistics.median(implied) if implied else None


def _scales(axes: Axes, points: Sequence[Point], reference_ms: float | None) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    # Space for labels on the right, and a small margin on the other sides.
    axes.set_xlim(min(p.ratio_low for p in points) / 1.35, max(p.ratio_high for p in points) * 1.7)
    axes.set_ylim(min(max(p.error_high for p in points) * 1.25, 1.0), min(p.error_low for p in points) / 1.35)
    ticks = _round_numbers(*axes.get_xlim())
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    marks = _accuracy_marks(points, *axes.get_ylim())
    axes.set_yticks(list(marks), list(marks.values()))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_minor_locator(NullLocator())
    axes.grid(color="#e4e4e4", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel("latency of one character, × reference network (logarithmic; left is faster)")
    axes.set_ylabel("accuracy, % (logarithmic in the error)")
    if reference_ms is not None:
        upper = axes.secondary_xaxis("top", functions=(_times(reference_ms), _times(1 / reference_ms)))
        times = _round_numbers(*(limit * reference_ms for limit in axes.get_xlim()))
        upper.xaxis.set_major_locator(FixedLocator(times))
        upper.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        upper.xaxis.set_minor_locator(NullLocator())
        upper.set_xlabel("approximate ms per character on the machine named on the board")


def _accuracy_marks(points: Sequence[Point], worst: float, best: float) -> dict[float, str]:
    """Tick positions (errors) and their labels (accuracies in per cent)."""
    top = {p.error: "100" for p in points if p.faultless}
    limit = 1.2 * max(top, default=best / 1.2)  # no other tick close to that of 100 %
    return {e: f"{t:g}" for t in ACCURACY_TICKS if limit <= (e := 1 - t / 100) <= worst} | top


def _times(factor: float) -> Callable[[Any], Any]:
    return lambda value: value * factor


def _round_numbers(low: float, high: float) -> list[float]:
    """1, 2 and 5 times the powers of ten within the limits."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [float(f"{m}e{p}") for p in powers for m in (1, 2, 5) if low <= float(f"{m}e{p}") <= high]


def _draw_point(axes: Axes, point: Point) -> None:
    colour = BLUE if point.pareto else ORANGE
    bars: dict[str, Any] = {"color": colour, "linewidth": 1.0, "alpha": 0.55, "zorder": 3}
    axes.plot([point.ratio_low, point.ratio_high], [point.error, point.error], **bars)
    axes.plot([point.ratio, point.ratio], [point.error_low, point.error_high], **bars)
    marker, face = ("o", BLUE) if point.pareto else ("s", "white")
    axes.plot(point.ratio, point.error, marker, color=colour, markerfacecolor=face, markersize=6, zorder=4)


def _draw_labels(axes: Axes, points: Sequence[Point]) -> None:
    def pixels(ratio: float, error: float) -> tuple[float, float]:
        x, y = axes.transData.transform((ratio, error))
        return float(x), float(y)

    centres = [pixels(p.ratio, p.error) for p in points]
    bars = [Box(*pixels(p.ratio, p.error_high), *pixels(p.ratio, p.error_low)).grown(1.5) for p in points]
    front = sorted((p for p in points if p.pareto), key=lambda p: p.ratio)
    line = [pixels(p.ratio, p.error) for p in front]
    bounds = axes.get_window_extent()
    frame = Box(bounds.x0, bounds.y0, bounds.x1, bounds.y1)
    placed = place([p.name for p in points], centres, bars, line, frame, FONT, [p.pareto for p in points])
    for point, (x, y), label in zip(points, centres, placed, strict=True):
        if label is None:  # no free place; the table shows the name
            continue
        if label.far:
            end = (label.anchor_x, label.anchor_y)
            arrow = {"arrowstyle": "-", "color": "#999999", "linewidth": 0.6, "shrinkA": 0, "shrinkB": 4}
            axes.annotate("", (x, y), end, "figure pixels", "figure pixels", arrow)
        colour = "black" if point.pareto else GREY
        # Text is placed by its baseline, a quarter of the font size above the lower edge of its box.
        place_of_text = (label.box.x0, label.box.y0 + 0.25 * FONT)
        axes.annotate(point.name, place_of_text, xycoords="figure pixels", color=colour, zorder=5)
