"""What ``export`` and ``recognize`` print of an exported recogniser."""

import json
from collections.abc import Sequence
from typing import Any

SHOWN = 20  # labels of those that a file knows


def describe_classes(labels: Sequence[str], about: Any) -> str:
    """The classes that a recogniser knows, in one line.

    Args:
        labels: class names in label order.
        about: metadata of the exported file.
    """
    kind = {True: "synthetic ", False: "", None: ""}[json.loads(about["synthetic"])]
    learned = f", learned from {kind}{about['dataset']}" if about["dataset"] else ""
    shown = " ".join(labels[:SHOWN]) + (" …" if len(labels) > SHOWN else "")
    record = json.loads(about["provenance"])["record"] or {}
    accuracy, data = (record.get("accuracy") or {}).get("value"), record.get("dataset") or {}
    whose = "its test part" if data.get("name") == about["dataset"] else f"the test part of {data.get('name')}"
    tested = f", {100 * accuracy:.2f} % right on {whose}" if accuracy is not None else ""
    return f"{len(labels):,} classes{learned}{tested}: {shown}"
