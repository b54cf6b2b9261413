"""Describes an exported recogniser in a line or two, for ``bench export`` and ``bench recognize``."""

import json
from collections.abc import Sequence
from typing import Any

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
