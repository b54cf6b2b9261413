"""Board section: accuracy, cost and time of each early exit, and the accuracy-time curve over all thresholds."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from bench.boards.markdown import table
from bench.boards.scatter_plot import BLUE, FONT, GREY, ORANGE, svg, title_size
from bench.boards.sections.section import Section
from bench.records import formatting
from bench.records.formatting import MILLION
from bench.records.rows import BoardRow
from bench.records.rows import Figure as Measured

HEADING = "Early exits"
PICTURE = "exits"
ALT = "Accuracy against mean time per character, for every threshold of the first exit"
SIZE = (10.0, 5.2)  # inches of 72 points, as wide as the board's other picture
COLOURS = (BLUE, ORANGE, "#009E73", "#CC79A7")  # Okabe and Ito's palette, repeated for more systems
NEEDED = ("exit_accuracy", "exit_rate", "expected_macs")


def text(section: Section) -> str:
    """A table with a line for each head of each system, and the exit policies; empty if no system has early exits."""
    rows = section.rows
    lines = [line for row in rows for line in _lines(row)]
    header = [
        "System", "Head", "Exits here, %", "Accuracy of these, %", "Accuracy alone, %",
        "Cascade − final head, points [95 %]", "MACs up to here (M)", "Alone, ms", "Cascade, ms",
        "Cascade / final head, time [95 %]", "Mean MACs (M)",
    ]  # fmt: skip
    policies = "".join(f"{_policy(row)}\n" for row in rows if _measured(row, "exit_rate").get("value") is not None)
    return f"{table(header, lines, 2)}\n{policies}{_in_runtimes(rows)}{_within_budgets(rows)}" if lines else ""


def picture(section: Section, title: str, description: str) -> bytes | None:
    """The SVG of accuracy against mean time for every threshold; None if no system has such a curve."""
    measured = [(row.system, _measured(row, "exit_curve")) for row in section.rows]
    curves = [(system, curve) for system, curve in measured if curve.get("points")]
    return svg(lambda: _draw(curves, title), title, description) if curves else None


def _draw(curves: Sequence[tuple[str, Mapping[str, Any]]], title: str) -> Figure:
    figure = Figure(figsize=SIZE, dpi=72, facecolor="white")
    axes = figure.add_axes((0.075, 0.2, 0.9, 0.68), facecolor="white")
    for number, (system, curve) in enumerate(curves):
        colour, points = COLOURS[number % len(COLOURS)], curve["points"]
        times = [point["latency"] / MILLION for point in points]
        axes.plot(times, [100 * p["accuracy"] for p in points], color=colour, linewidth=1.4, label=system)
        for point, time in zip(points, times, strict=True):
            if point["threshold"] in (0.5, 0.75, 0.98, 1.0):
                place = (time, 100 * point["accuracy"])
                axes.annotate(f"{point['threshold']:g}", place, (3, -10), textcoords="offset points", color=GREY)
                axes.plot(*place, "o", color=colour, markersize=3)
        chosen = curve["chosen"]
        axes.plot(chosen["latency"] / MILLION, 100 * chosen["accuracy"], "D", color=colour, markersize=7)
    axes.plot([], [], "D", color=GREY, linestyle="none", label="the policy chosen on validation characters")
    axes.grid(color="#e4e4e4", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel("mean ms per character, from the time of each exit and the share of characters that exit there")
    axes.set_ylabel("accuracy, %")
    figure.text(0.075, 0.93, title, fontsize=title_size(title), fontweight="bold")
    figure.legend(loc="lower center", ncols=4, frameon=False, fontsize=FONT)
    return figure


def _measured(row: BoardRow, name: str) -> Mapping[str, Any]:
    """A measurement of the row's first record; policies of several seeds differ and are not averaged."""
    measured: Mapping[str, Any] = row.records[0].record["measurements"].get(name, {})
    return measured


def _lines(row: BoardRow) -> list[list[str]]:
    accuracy, rate, macs = measured = [_measured(row, name) for name in NEEDED]
    if any(one.get("value") is None for one in measured):
        return []
    timed = _measured(row, "exit_latency")
    lines = []
    for name, exit_ in rate["exits"].items():
        ms = timed.get("exits", {}).get(name, {}).get("mean")
        lines.append([
            f"`{row.system}`", name, formatting.percent(exit_["value"]), formatting.share(Measured(exit_["accuracy"])),
            formatting.percent(accuracy["exits"][name]["value"]), "", formatting.digits(macs["exits"][name] / MILLION),
            _milliseconds(ms), "", "", "",
        ])  # fmt: skip
    paired = accuracy.get("paired", {})
    lines[-1][5] = formatting.points(Measured(paired.get("difference"), paired.get("ci_low"), paired.get("ci_high")))
    cascade = _milliseconds(timed.get("cascade", {}).get("mean"))
    lines[-1][-3:] = [cascade, _to_final(timed), formatting.digits(macs["value"] / MILLION)]
    return lines


def _policy(row: BoardRow) -> str:
    policy = _measured(row, "exit_rate")
    average = "; the others are classified by the mean of the last two heads" if policy["average"] else ""
    temperatures = ", ".join(f"{value:g}" for value in policy["temperatures"])
    return f"- `{row.system}` exits at {_exits_at(policy)}{average}; softmax temperatures {temperatures}."


def _in_runtimes(rows: Sequence[BoardRow]) -> str:
    """The times of heads and cascade in runtimes other than eager; empty if there are none."""
    lines = []
    for row in rows:
        for name, timed in sorted(row.records[0].record["measurements"].items()):
            base, _, runtime = name.partition("@")
            if base == "exit_latency" and runtime and timed.get("exits"):
                alone = " / ".join(_milliseconds(one["mean"]) for one in timed["exits"].values())
                cascade = _milliseconds(timed["cascade"]["mean"])
                lines.append([f"`{row.system}`", f"`{runtime}`", alone, cascade, _to_final(timed)])
    header = ["System", "Runtime", "Each head alone, ms", "Cascade, ms", "Cascade / final head, time [95 %]"]
    return f"\n{table(header, lines, 2)}" if lines else ""


def _to_final(timed: Mapping[str, Any]) -> str:
    ratio = timed.get("cascade_to_final")
    return f"{ratio['value']:.3f} [{ratio['ci_low']:.3f}–{ratio['ci_high']:.3f}]" if ratio else formatting.NONE


def _within_budgets(rows: Sequence[BoardRow]) -> str:
    """The most accurate policies within shares of the final head's time; empty if none were chosen."""
    lines = []
    for row in rows:
        final = _measured(row, "exit_latency").get("value")
        for policy in _measured(row, "exit_curve").get("budgets", ()):
            lines.append([
                f"`{row.system}`", _exits_at(policy), "yes" if policy["average"] else "no", f"{policy['budget']:g}",
                formatting.percent(policy["accuracy"]), formatting.percent(policy["exit_rate"]),
                _milliseconds(policy["latency"]),
                formatting.NONE if final is None else formatting.digits(policy["latency"] / final),
            ])  # fmt: skip
    header = [
        "System", "Exits at", "Averages the last two heads", "Time budget, × final head", "Accuracy, %",
        "Exit early, %", "ms", "× final head",
    ]  # fmt: skip
    return f"\n{_BUDGETS}\n{table(header, lines, 3)}" if lines else ""


def _exits_at(policy: Mapping[str, Any]) -> str:
    exits = [f"{name} if confidence ≥ {threshold:g}" for name, threshold in policy["leaves_at"].items()]
    return " and ".join(exits) or "the final head only"


def _milliseconds(value: float | None) -> str:
    return formatting.millions(Measured(value))


_BUDGETS = (
    "Policies within a time budget, a share of the final head's mean time: the policy is the most accurate one on "
    "validation characters whose expected time there is within the budget; the figures are of the test characters. "
    "Times are those of the exits, measured alone, weighted by the share of characters that exit there.\n"
)
