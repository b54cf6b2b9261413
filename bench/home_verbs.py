"""From a trained system to answers: what ``bench export``, ``recognize`` and ``choose`` do.

Each takes the parsed options and returns (exit code, JSON document, text). ``recognize`` imports neither torch nor
onnx.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from datamodules._errors import BenchError

if TYPE_CHECKING:
    from bench._home import HomeRecogniser
    from bench.verbs import Answer

SHOWN = 20  # labels of those that a file knows


class WrongUseError(BenchError):
    """Arguments that do not go together; says which."""


def export(options: argparse.Namespace) -> "Answer":
    """``bench export``: one file that runs without this package."""
    from bench import environment

    environment.check_builds()
    from bench.exporting import export_system

    about = export_system(
        options.system, options.checkpoint, options.format, options.out, options.labels, options.records
    )
    labels = json.loads(about["labels"])
    document = {
        "file": str(options.out), "format": options.format, "bytes": options.out.stat().st_size,
        **{name: about[name] for name in ("system", "dataset")}, "classes": len(labels), "labels": labels,
        "provenance": json.loads(about["provenance"]),
    }  # fmt: skip
    size = f"{document['bytes'] / 1e6:.2f} MB"
    text = f"wrote {options.out}, {size}: {about['system']}, {_knows(labels, about)}"
    return 0, document, f"{text}\nread images with it: bench recognize {options.out} IMAGE"


def recognize(options: argparse.Namespace) -> "Answer":
    """``bench recognize``: the most probable characters of image files."""
    from bench._home import open_home
    from bench.machine import cores
    from bench.recognising import image_files, recognize_batches, recognize_each

    folders = [path for path in options.images if path.is_dir()]
    if folders and not options.batch:
        raise WrongUseError(f"{folders[0]}: is a folder; say --batch to read all images below it")
    threads = cores() if options.batch else 1
    recogniser = open_home(options.file, threads, options.batch)
    top = min(options.top, len(recogniser.labels))
    files = list(image_files(options.images))
    started = time.monotonic()
    if options.batch:
        answers = list(recognize_batches(recogniser, files, top, threads))
    else:
        answers = list(recognize_each(recogniser, files, top))
    seconds = time.monotonic() - started
    errors = [answer.error for answer in answers if answer.error]
    for error in errors if not options.json else ():
        print(f"bench: {error}", file=sys.stderr)
    document = {
        "file": str(options.file), "runtime": recogniser.runtime, "knows": _known(recogniser),
        "images": [answer.as_dict() for answer in answers], "seconds": seconds,
    }  # fmt: skip
    lines = [f"{options.file} knows {_knows(recogniser.labels, recogniser.about)}"]
    for answer in answers:
        if answer.top:
            lines.append(f"{answer.image}: " + "  ".join(f"{label} {100 * p:.2f} %" for label, p in answer.top))
    if options.batch:
        lines.append(f"{len(answers)} images in {seconds:.1f} s, {len(errors)} refused")
    return int(bool(errors)), document, "\n".join(lines)


def choose(options: argparse.Namespace) -> "Answer":
    """``bench choose``: the system to deploy within limits, from the records."""
    from bench._choice_text import format_choice
    from bench.choosing import Limits, choose_from

    limits = Limits(options.max_latency_ms, options.min_accuracy, options.max_size_mb)
    found = choose_from(options.out, options.suite, options.dataset, options.scale, options.machine, limits)
    return int(found["chosen"] is None), found, format_choice(found)


def _known(recogniser: "HomeRecogniser") -> dict[str, Any]:
    about = recogniser.about
    return {
        "system": about["system"], "dataset": about["dataset"] or None, "synthetic": json.loads(about["synthetic"]),
        "classes": len(recogniser.labels), "labels": list(recogniser.labels),
        "provenance": json.loads(about["provenance"]),
    }  # fmt: skip


def _knows(labels: Sequence[str], about: Any) -> str:
    """The character set in one line."""
    kind = {True: "synthetic ", False: "", None: ""}[json.loads(about["synthetic"])]
    learned = f", learned from {kind}{about['dataset']}" if about["dataset"] else ""
    shown = " ".join(labels[:SHOWN]) + (" …" if len(labels) > SHOWN else "")
    record = json.loads(about["provenance"])["record"] or {}
    accuracy, data = (record.get("accuracy") or {}).get("value"), record.get("dataset") or {}
    whose = "its test part" if data.get("name") == about["dataset"] else f"the test part of {data.get('name')}"
    tested = f", {100 * accuracy:.2f} % right on {whose}" if accuracy is not None else ""
    return f"{len(labels):,} classes{learned}{tested}: {shown}"
