"""``bench export``: writes a trained system in a runtime as one file that runs without this package."""

import argparse
import json
from pathlib import Path

from bench.cli._arguments import Answer, add_record_selection, add_records_folder, seed
from bench.cli._recognizer_text import describe_classes
from bench.cli.doctor import check_builds
from bench.plugins import exportable_runtimes

HELP = "write a trained system as one file to deploy"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    add = parser.add_argument
    add("system", metavar="SYSTEM", help="name of a system; see: bench list systems")
    add("--runtime", required=True, choices=exportable_runtimes(), help="runtime that the file is for")
    add("--out", type=Path, required=True, metavar="FILE", help="file to write: .onnx, or .zip for OpenVINO")
    add_record_selection(parser)
    add("--seed", type=seed, default=0, metavar="K", help="seed of the row; default 0")
    add("--checkpoint", type=Path, metavar="FILE", help="trained weights, safetensors; default: those of the row")
    add("--labels", type=Path, metavar="FILE", help="class names, one per line, if the weights hold none")
    images = "images of single characters that set the ranges of int8; default: validation characters of the row"
    add("--calibration", type=Path, metavar="DIR", help=images)
    add_records_folder(parser, "--records", "folder that holds results/; default leaderboards")


def run(options: argparse.Namespace) -> Answer:
    """Write the file and describe it."""
    check_builds()
    from bench.deploy.load import open_exported
    from bench.run.export import RowName, Sources, export_system
    from datamodules._files import sha256

    row = RowName(options.suite, options.dataset, options.scale, options.seed)
    sources = Sources(options.checkpoint, row, options.labels, options.calibration, options.records)
    measured, error = export_system(options.system, options.runtime, options.out, sources)
    about = open_exported(options.out).about
    labels, size = json.loads(about["labels"]), options.out.stat().st_size
    document = {
        "file": str(options.out), "runtime": options.runtime, "bytes": size, "sha256": sha256(options.out),
        "measured": measured, "error": error or None, "system": about["system"], "dataset": about["dataset"],
        "classes": len(labels),
        "labels": labels, "provenance": json.loads(about["provenance"]),
    }  # fmt: skip
    origin = "the file that its record was measured with" if measured else "no record was measured with this file"
    lines = [
        f"wrote {options.out}, {size / 1e6:.2f} MB: {about['system']}, {describe_classes(labels, about)}",
        f"{options.runtime}, {origin}; SHA-256 {document['sha256']}",
        f"to recognise images with it: bench recognize {options.out} IMAGE",
    ]
    if error:
        lines.append(f"do not deploy it: {error}")
    return 0, document, "\n".join(lines)
