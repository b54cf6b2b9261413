"""Board section: accuracy recovered by retraining after quantisation, and its time, with labels and without."""

from collections.abc import Mapping
from typing import Any

from bench.boards.markdown import table
from bench.boards.published import time_ratios
from bench.boards.sections.section import Section
from bench.records import formatting

HEADING = "Retraining"
NEAR = 0.01  # validation accuracy that counts as "within 1 point" of the end of the conventional retraining
_WITHOUT, _WITH = "-retrained", "-conventional"


def text(section: Section) -> str:
    """A table with a line for each system retrained after quantisation, and the published time ratios."""
    printed = time_ratios(section.claims)
    # The first record only: times of several seeds are not averaged.
    entries = {(row.machine, row.system): row.records[0].record.get("retraining") or {} for row in section.rows}
    entries = {key: entry for key, entry in entries.items() if "test" in entry}
    header = [
        "System", "Trained on", "Before, %", "After, %", "Float32 parent, %", "Recovered, % [95 %]", "Epochs",
        "Seconds per epoch", "Seconds for the teacher's outputs", "Seconds in total", "× conventional",
        "× conventional, published", "× conventional at its best learning rate",
        "Seconds to within 1 point of the conventional result",
    ]  # fmt: skip
    lines = []
    for (machine, system), entry in entries.items():
        without_labels = entry["method"] == "retrained"
        other = entries.get((machine, system.partition(_WITHOUT)[0] + _WITH)) if without_labels else None
        times = compared(entry, other)
        if not without_labels:  # how early it comes near its own result
            times["seconds_near"] = compared(entry, entry)["seconds_near"]
        ratio, *more = (formatting.NONE if value is None else formatting.digits(value) for value in times.values())
        published = printed if without_labels else formatting.NONE
        lines.append([f"`{system}`", *_accuracies(entry), *_times(entry), ratio, published, *more])
    return table(header, lines, 2) + "\n" + _NOTE if lines else ""


def compared(without: Mapping[str, Any], conventional: Mapping[str, Any] | None) -> dict[str, float | None]:
    """Compare the seconds of a retraining without labels with those of the conventional one of the same network.

    Returns: ``ratio`` to the conventional seconds over all learning rates, ``ratio_best`` to those of the best rate
        alone, and ``seconds_near`` until the validation accuracy is within NEAR of the conventional result, None if it
        never is; all None without a conventional one.
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


def _accuracies(entry: Mapping[str, Any]) -> list[str]:
    source, test = entry.get("unlabelled"), entry["test"]
    images = f"{source['images']:,} images of `{source['name']}`, no labels" if source else "training part, labels"
    recovered = formatting.NONE if test["came_back"] is None else formatting.percent(test["came_back"])
    if test["ci_low"] is not None:
        recovered += f" [{formatting.percent(test['ci_low'])}–{formatting.percent(test['ci_high'])}]"
    return [images, *(formatting.percent(test[name]) for name in ("before", "after", "parent")), recovered]


def _times(entry: Mapping[str, Any]) -> list[str]:
    teacher = entry.get("seconds_teacher")
    return [
        f"{entry['epochs']}", formatting.digits(entry["seconds_epoch"]),
        formatting.NONE if teacher is None else formatting.digits(teacher), formatting.digits(entry["seconds"]),
    ]  # fmt: skip


_NOTE = (
    "Before: the quantised network as stored, without retraining. Recovered: (after − before) / (parent − before), on "
    "the test part. Retraining without labels tries one learning rate. Conventional retraining tries three on the "
    "labelled training part and keeps the best by validation accuracy; the time of all three counts. Both keep the "
    "quantised weights fixed. Seconds include training and the teacher's outputs, but not validation. The last column "
    "uses accuracy on the validation part, and conventional retraining at its best learning rate. The published ratios "
    "are of other networks, images and machines.\n"
)
