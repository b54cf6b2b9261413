"""Describes an exported recogniser and its answers, for ``bench export`` and ``bench recognize``."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.deploy.recognize import Answer

SHOWN = 20  # class labels printed


def describe_classes(labels: Sequence[str], about: Any) -> str:
    """Number of classes, training data, test accuracy and first labels in one line, the data's licence in another.

    ``about`` is the file's metadata; older files state no licence.
    """
    kind = "synthetic " if json.loads(about["synthetic"]) else ""
    learned = f", trained on {kind}{about['dataset']}" if about["dataset"] else ""
    shown = " ".join(labels[:SHOWN]) + (" …" if len(labels) > SHOWN else "")
    record = json.loads(about["provenance"])["record"] or {}
    accuracy, data = (record.get("accuracy") or {}).get("value"), record.get("dataset") or {}
    test_part = "its test part" if data.get("name") == about["dataset"] else f"the test part of {data.get('name')}"
    tested = f", accuracy {100 * accuracy:.2f} % on {test_part}" if accuracy is not None else ""
    licence = f"\ndata licence: {about['licence']}" if about.get("licence") else ""
    return f"{len(labels):,} classes{learned}{tested}: {shown}{licence}"


def sureness(about: Mapping[str, str]) -> Mapping[str, Any]:
    """``threshold``, the probability from which on an answer is sure, and what it was measured to accept.

    ``value`` is the share of unknown characters above it, ``coverage`` that of known ones; empty if not measured.
    """
    figure = (json.loads(about["provenance"]).get("record") or {}).get("unknown_accepted") or {}
    return figure if isinstance(figure.get("threshold"), float) else {}


def answer_lines(answers: "Sequence[Answer]", sure: Mapping[str, Any]) -> list[str]:
    """A line for each answered image, and one that says what ``(unsure)`` means if any of them is."""
    threshold = sure.get("threshold", 0.0)
    answered = [answer for answer in answers if answer.top]
    unsure = {answer.image for answer in answered if answer.top[0][1] < threshold}
    lines = [
        f"{answer.image}: "
        + "  ".join(f"{label} {100 * probability:.2f} %" for label, probability in answer.top)
        + (" (unsure)" if answer.image in unsure else "")
        for answer in answered
    ]
    if unsure:
        lines.append(
            f"unsure: below {100 * threshold:.1f} %; in its test {100 * sure['coverage']:.1f} % of the characters "
            f"that it knows reach that, and {100 * sure['value']:.1f} % of those that it does not know"
        )
    return lines
