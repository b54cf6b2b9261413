"""Retraining on a board: what quantising had lost, what came back, and in what time, with labels and without."""

from collections.abc import Mapping
from typing import Any

from bench.boards.markdown import table
from bench.boards.published import time_ratios
from bench.boards.sections.section import Section
from bench.records import formatting
from bench.records.rows import BoardRow

NEAR = 0.01  # of accuracy on validation characters: "within 1 point" of where the conventional run ended
_WITHOUT, _WITH = "-retrained", "-conventional"


HEADING = "Retraining"


def text(section: Section) -> str:
    """A line for each system that is retrained after quantising, and the printed ratios of times; empty for none."""
    printed = time_ratios(section.claims)
    found = {(row.machine, row.system): said for row in section.rows if (said := _said(row))}
    header = [
        "System", "Learned from", "Before, %", "After, %", "Float32 parent, %", "Came back, % [95 %]", "Epochs",
        "Seconds an epoch", "of the teacher's answers", "in all", "× conventional", "× conventional, published",
        "× its best rate alone", "Seconds to within 1 point of the conventional end",
    ]  # fmt: skip
    lines = []
    for (machine, system), said in found.items():
        alone = said["method"] == "retrained"
        beside = found.get((machine, system.partition(_WITHOUT)[0] + _WITH)) if alone else None
        against = compared(said, beside)
        if not alone:  # it comes near its own end before that, too
            against["seconds_near"] = compared(said, said)["seconds_near"]
        ratio, *others = _against(against)
        theirs = printed if alone else formatting.NONE
        lines.append([f"`{system}`", *_accuracies(said), *_times(said), ratio, theirs, *others])
    return table(header, lines, 2) + "\n" + _NOTE if lines else ""


def compared(without: Mapping[str, Any], conventional: Mapping[str, Any] | None) -> dict[str, float | None]:
    """The time of a retraining without labels against the conventional one of the same network.

    Args:
        without: the record's ``retraining``.
        conventional: that of the other row; None where there is none.

    Returns: ``ratio`` of the seconds to those of all learning rates that the conventional one tried, ``ratio_best`` to
        those of its best rate, and ``seconds_near``, after which the validation accuracy is within NEAR of where the
        conventional one ended; None where it never is.
    """
    if conventional is None:
        return {"ratio": None, "ratio_best": None, "seconds_near": None}
    end = conventional["curve"][-1]["accuracy"] - NEAR
    near = (point["seconds"] for point in without["curve"] if point["accuracy"] >= end)
    return {
        "ratio": without["seconds"] / conventional["seconds"],
        "ratio_best": without["seconds"] / conventional["seconds_best"],
        "seconds_near": next(near, None),
    }


def _said(row: BoardRow) -> Mapping[str, Any]:
    """A row's retraining by its first record: times of several seeds are not joined."""
    found: Mapping[str, Any] = row.records[0].record.get("retraining") or {}
    return found if "test" in found else {}


def _accuracies(said: Mapping[str, Any]) -> list[str]:
    source, test = said.get("unlabelled"), said["test"]
    images = f"{source['images']:,} images of `{source['name']}`, no labels" if source else "training part, labels"
    back = formatting.NONE if test["came_back"] is None else formatting.percent(test["came_back"])
    if test["ci_low"] is not None:
        back += f" [{formatting.percent(test['ci_low'])}–{formatting.percent(test['ci_high'])}]"
    return [images, *(formatting.percent(test[name]) for name in ("before", "after", "parent")), back]


def _times(said: Mapping[str, Any]) -> list[str]:
    teacher = said.get("seconds_teacher")
    return [
        f"{said['epochs']}", formatting.digits(said["seconds_epoch"]),
        formatting.NONE if teacher is None else formatting.digits(teacher), formatting.digits(said["seconds"]),
    ]  # fmt: skip


def _against(found: Mapping[str, float | None]) -> list[str]:
    return [formatting.NONE if value is None else formatting.digits(value) for value in found.values()]


_NOTE = (
    "Before: the quantised network as stored, nothing learned again. Came back: (after − before) / (parent − before), "
    "on the test part. Without labels one learning rate is tried; the conventional way tries three on the labelled "
    "training part and keeps the best by validation accuracy, and all three count. Quantised weights stay as they are "
    "in both. Seconds are of learning, the teacher's answers included, validation not; the last column is by the "
    "validation part, of the conventional way at its best rate alone. What is published is of other networks, images "
    "and machines.\n"
)
