"""``bench recognize``: the most probable characters of image files. Imports neither torch nor onnx."""

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.cli._arguments import Answer, positive_int
from bench.cli._recognizer_text import answer_lines, describe_classes, sureness
from bench.deploy.boxed import BOXED, SUFFIXES, boxed_file
from datamodules._errors import UsageError

if TYPE_CHECKING:
    from bench.deploy.load import ExportedRecogniser

HELP = "recognise the characters in images with an exported file"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    add = parser.add_argument
    add("paths", type=Path, nargs="+", metavar="IMAGE",
        help="photo or scan of one character; with --batch also a folder of them. If the first is an exported file, it "
        "answers, otherwise the recogniser of all 3,755 characters that is part of this package")  # fmt: skip
    add("--top", type=positive_int, default=5, metavar="K", help="number of candidates per image; default 5")
    add("--batch", action="store_true", help="many images at full speed, on all cores")


def run(options: argparse.Namespace) -> Answer:
    """Recognise every image; exit 1 if an image is refused."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy starts its threads on import; recognising needs none
    from bench.deploy.load import open_exported

    file, images = _file_and_images(options.paths)
    folders = [path for path in images if path.is_dir()]
    if folders and not options.batch:
        raise UsageError(f"{folders[0]}: is a folder; add --batch to read all images below it")
    threads = _cores() if options.batch else 1
    recogniser = open_exported(file, threads, options.batch, lean=not options.batch)
    # Imported after the file is opened, so that OpenCV and Pillow use the memory that opening it has freed.
    from bench.deploy.recognize import image_files, recognize_batches, recognize_each

    top = min(options.top, len(recogniser.labels))
    files = list(image_files(images))
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
        "file": str(file), "runtime": recogniser.runtime, "knows": _knows(recogniser),
        "sure_from": sureness(recogniser.about).get("threshold"),
        "images": [answer.as_dict() for answer in answers], "seconds": seconds,
    }  # fmt: skip
    lines = [f"{file.name if file == BOXED else file} knows {describe_classes(recogniser.labels, recogniser.about)}"]
    lines += answer_lines(answers, sureness(recogniser.about))
    if options.batch:
        lines.append(f"{len(answers)} images in {seconds:.1f} s, {len(errors)} refused")
    return int(bool(errors)), document, "\n".join(lines)


def _file_and_images(paths: Sequence[Path]) -> tuple[Path, Sequence[Path]]:
    """The exported file, that of this package unless the first path is one, and the images."""
    if paths[0].is_dir() or paths[0].suffix.lower() in SUFFIXES:
        return boxed_file(), paths
    if len(paths) == 1:
        endings = ", ".join(SUFFIXES)
        raise UsageError(f"{paths[0]}: wanted an image ({endings}), or an exported file followed by images")
    return paths[0], paths[1:]


def _cores() -> int:
    from bench.records.provenance import cores  # a slow import, only for batches

    return cores()


def _knows(recogniser: "ExportedRecogniser") -> dict[str, Any]:
    about = recogniser.about
    return {
        "system": about["system"], "dataset": about["dataset"] or None, "synthetic": json.loads(about["synthetic"]),
        "licence": about.get("licence") or None, "classes": len(recogniser.labels), "labels": list(recogniser.labels),
        "provenance": json.loads(about["provenance"]),
    }  # fmt: skip
