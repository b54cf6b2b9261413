"""Board section: whether the systems rank alike on drawn and on real characters."""

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from bench.boards.markdown import table
from bench.boards.sections.section import Section
from bench.plugins import DATASETS
from bench.records.formatting import percent

HEADING = "Order on other data"
LEAST = 4  # systems on both data sets: the order of fewer says nothing
HEADER = (
    "Data set", "Characters", "Systems on both", "Spearman's rank correlation of the accuracies [95 %]",
    "Changes place most",
)  # fmt: skip


def text(section: Section) -> str:
    """A line for each data set of the other kind that has been measured with enough of the same systems."""
    if not section.stored:
        return ""
    here = section.stored[0].record
    if _mixed(here):
        return ""
    own = _accuracies([item.record for item in section.stored])
    by_name: dict[str, list[Mapping[str, Any]]] = {}
    for item in section.suite:
        record = item.record
        other_kind = record["dataset"]["synthetic"] != here["dataset"]["synthetic"]
        if other_kind and not _mixed(record) and record["scale"] == here["scale"]:
            by_name.setdefault(record["dataset"]["name"], []).append(record)
    lines = []
    for name, records in sorted(by_name.items()):
        other = _accuracies(records)
        both = sorted(set(own) & set(other))
        if len(both) >= LEAST:
            kind = "drawn by a program" if records[0]["dataset"]["synthetic"] else "real"
            lines.append([f"`{name}`", kind, str(len(both)), *_compared([(s, own[s], other[s]) for s in both])])
    return f"{_NOTE}\n{table(list(HEADER), lines, 2)}" if lines else ""


def _mixed(record: Mapping[str, Any]) -> bool:
    """Whether systems learned from drawn characters and were tested on real ones."""
    plugin = record["dataset"].get("plugin", record["dataset"]["name"])
    return plugin in DATASETS.names() and bool(DATASETS.literals(plugin).get("TESTED_ON_REAL"))


def _accuracies(records: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The accuracy of each system, a mean over seeds and machines."""
    found: dict[str, list[float]] = {}
    for record in records:
        value = record["measurements"].get("accuracy", {}).get("value")
        if value is not None:
            found.setdefault(record["system"], []).append(value)
    return {system: fmean(values) for system, values in found.items()}


def _compared(pairs: Sequence[tuple[str, float, float]]) -> tuple[str, str]:
    """The correlation with its interval, and the system whose rank differs most."""
    from scipy.stats import rankdata  # scipy loads slowly; few boards need it

    from bench.records.statistics import spearman

    names, own, other = zip(*pairs, strict=True)
    value, low, high = spearman(own, other)
    shifts = [int(there - here) for here, there in zip(rankdata(own, "min"), rankdata(other, "min"), strict=True)]
    most = max(range(len(names)), key=lambda index: (abs(shifts[index]), names[index]))
    changed = f"`{names[most]}`, {percent(own[most])} % here, {percent(other[most])} % there"
    return f"{value:.2f} [{low:.2f}, {high:.2f}]", changed if shifts[most] else "none"


_NOTE = (
    "Does the order of the systems hold on characters of the other kind, drawn or real? 1 is the same order, 0 no "
    "relation. The interval is Fisher's, wide for few systems; training data, classes and epochs differ as well.\n"
)
