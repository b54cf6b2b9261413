"""Early exits on a board: a table of what each exit reads, costs and takes, and the curve of all thresholds."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from bench.boards.markdown import table
from bench.boards.scatter_plot import BLUE, FONT, GREY, ORANGE, svg
from bench.boards.sections.section import Section
from bench.records import formatting
from bench.records.formatting import MILLION
from bench.records.rows import BoardRow
from bench.records.rows import Figure as Measured

HEADING = "Early exits"
PICTURE = "exits"
ALT = "Accuracy against mean time of a character, for every threshold of the first exit"
SIZE = (10.0, 5.2)  # inches of 72 points, as wide as the board's other picture
COLOURS = (BLUE, ORANGE, "#009E73", "#CC79A7")  # Okabe and Ito's palette; more systems begin again
NEEDED = ("exit_accuracy", "exit_rate", "expected_macs")


def text(section: Section) -> str:
    """What each exit reads and costs, a line for each head of each system; nothing where no system has early exits."""
    rows = section.rows
    lines = [line for row in rows for line in _lines(row)]
    header = [
        "System", "Head", "Leaves here, %", "of these right, %", "Alone right, %", "Cascade − final, points [95 %]",
        "MACs up to here (M)", "Alone, ms", "Cascade, ms", "Cascade / final, time [95 %]", "Mean MACs (M)",
    ]  # fmt: skip
    if not lines:
        return ""
    return (
        table(header, lines, 2) + "\n" + "\n".join(_policies(rows)) + "\n" + _in_runtimes(rows) + _within_budgets(rows)
    )


def picture(section: Section, title: str, description: str) -> bytes | None:
    """The SVG of accuracy against mean time for every threshold; None where no system has the points.

    Args:
        section: rows of one scale and one data set.
        title: shown above the axes.
        description: stored as the file's metadata.
    """
    measured = [(row.system, _measured(row).get("exit_curve", {})) for row in section.rows]
    curves = [(system, found) for system, found in measured if found.get("points")]
    if not curves:
        return None
    return svg(lambda: _draw(curves, title), title, description)


def _draw(curves: Sequence[tuple[str, Mapping[str, Any]]], title: str) -> Figure:
    figure = Figure(figsize=SIZE, dpi=72, facecolor="white")
    axes = figure.add_axes((0.075, 0.2, 0.9, 0.68), facecolor="white")
    for number, (system, found) in enumerate(curves):
        colour, points = COLOURS[number % len(COLOURS)], found["points"]
        times = [point["latency"] / MILLION for point in points]
        axes.plot(times, [100 * p["accuracy"] for p in points], color=colour, linewidth=1.4, label=system)
        for point, time in zip(points, times, strict=True):
            if point["threshold"] in (0.5, 0.75, 0.98, 1.0):
                place = (time, 100 * point["accuracy"])
                axes.annotate(f"{point['threshold']:g}", place, (3, -10), textcoords="offset points", color=GREY)
                axes.plot(*place, "o", color=colour, markersize=3)
        chosen = found["chosen"]
        axes.plot(chosen["latency"] / MILLION, 100 * chosen["accuracy"], "D", color=colour, markersize=7)
    axes.plot([], [], "D", color=GREY, linestyle="none", label="the policy chosen on validation characters")
    axes.grid(color="#e4e4e4", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel("mean time of a character, ms, by the time of each exit and how many leave there")
    axes.set_ylabel("accuracy, %")
    figure.text(0.075, 0.93, title, fontsize=12, fontweight="bold")
    figure.legend(loc="lower center", ncols=4, frameon=False, fontsize=FONT)
    return figure


def _measured(row: BoardRow) -> Mapping[str, Any]:
    """The measurements of a row's first record: of several seeds, one policy each cannot be joined."""
    found: Mapping[str, Any] = row.records[0].record["measurements"]
    return found


def _lines(row: BoardRow) -> list[list[str]]:
    found = _measured(row)
    if any(found.get(name, {}).get("value") is None for name in NEEDED):
        return []
    rates, alone, macs = (found[name]["exits"] for name in ("exit_rate", "exit_accuracy", "expected_macs"))
    timed = found.get("exit_latency", {})
    lines = []
    for name, rate in rates.items():
        ms = timed.get("exits", {}).get(name, {}).get("mean")
        line = [f"`{row.system}`", name, formatting.percent(rate["value"]), _percent(rate["accuracy"])]
        line += [formatting.percent(alone[name]["value"]), ""]
        line += [formatting.digits(macs[name] / MILLION), _milliseconds(ms)]
        lines.append([*line, "", "", ""])
    paired = found["exit_accuracy"].get("paired", {})
    lines[-1][5] = formatting.points(Measured(paired.get("difference"), paired.get("ci_low"), paired.get("ci_high")))
    whole = _milliseconds(timed.get("cascade", {}).get("mean"))
    lines[-1][-3:] = [whole, _to_final(timed), formatting.digits(found["expected_macs"]["value"] / MILLION)]
    return lines


def _policies(rows: Sequence[BoardRow]) -> list[str]:
    said = []
    for row in rows:
        policy = _measured(row).get("exit_rate", {})
        if policy.get("value") is None:
            continue
        where = _where(policy)
        stay = "; who stays is read by the mean of the last two heads" if policy["average"] else ""
        scaled = ", ".join(f"{value:g}" for value in policy["temperatures"])
        said.append(f"- `{row.system}` leaves at {where}{stay}; temperatures {scaled}.")
    return said


def _in_runtimes(rows: Sequence[BoardRow]) -> str:
    """The cascade's time against its final head's in other runtimes than eager; nothing where there are none."""
    lines = []
    for row in rows:
        for name, timed in sorted(_measured(row).items()):
            base, _, runtime = name.partition("@")
            if base == "exit_latency" and runtime and timed.get("exits"):
                alone = " / ".join(_milliseconds(one["mean"]) for one in timed["exits"].values())
                whole = _milliseconds(timed["cascade"]["mean"])
                lines.append([f"`{row.system}`", f"`{runtime}`", alone, whole, _to_final(timed)])
    header = ["System", "Runtime", "Each head alone, ms", "Cascade, ms", "Cascade / final, time [95 %]"]
    return f"\n{table(header, lines, 2)}" if lines else ""


def _to_final(timed: Mapping[str, Any]) -> str:
    ratio = timed.get("cascade_to_final")
    return f"{ratio['value']:.3f} [{ratio['ci_low']:.3f}–{ratio['ci_high']:.3f}]" if ratio else formatting.NONE


def _within_budgets(rows: Sequence[BoardRow]) -> str:
    """What the most accurate policies within shares of the final head's time give; nothing where none were chosen."""
    lines = []
    for row in rows:
        final = _measured(row).get("exit_latency", {}).get("value")
        for one in _measured(row).get("exit_curve", {}).get("budgets", ()):
            line = [f"`{row.system}`", _where(one), "yes" if one["average"] else "no", f"{one['budget']:g}"]
            line += [formatting.percent(one["accuracy"]), formatting.percent(one["exit_rate"])]
            share = formatting.NONE if final is None else formatting.digits(one["latency"] / final)
            lines.append([*line, _milliseconds(one["latency"]), share])
    header = [
        "System", "Leaves at", "Averages", "Most time, × final", "Accuracy, %", "Leave early, %", "ms",
        "× final",
    ]  # fmt: skip
    return f"\n{_BUDGETS}\n{table(header, lines, 3)}" if lines else ""


def _where(policy: Mapping[str, Any]) -> str:
    places = [f"{name} from {threshold:g} on" for name, threshold in policy["leaves_at"].items()]
    return " and ".join(places) or "the final head only"


def _percent(value: float | None) -> str:
    return formatting.NONE if value is None else formatting.percent(value)


def _milliseconds(value: float | None) -> str:
    return formatting.NONE if value is None else formatting.digits(value / MILLION)


_BUDGETS = (
    "The most accurate policy on validation characters whose expected time on them is within a share of the final "
    "head's mean time, and what it gives on the test characters. Times are those of the exits, measured alone, weighed "
    "by how many leave there.\n"
)
