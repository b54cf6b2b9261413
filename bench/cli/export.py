"""``bench export``: a trained system as one file that runs without this package."""

import argparse
import json
from pathlib import Path

from bench.cli._arguments import Answer, add_records_folder
from bench.cli._recognizer_text import describe_classes
from bench.cli.doctor import check_builds

HELP = "a trained system as one file to deploy"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    add = parser.add_argument
    add("system", metavar="SYSTEM", help="see: bench list systems")
    add("--checkpoint", type=Path, required=True, metavar="FILE", help="its trained weights, safetensors")
    add("--format", choices=("onnx", "openvino"), required=True, help="openvino: a zip of its pair of files")
    add("--out", type=Path, required=True, metavar="FILE", help="the file to write")
    add("--labels", type=Path, metavar="FILE", help="class names, one a line, for weights that do not name them")
    add_records_folder(parser, "--records", "folder of results/ where the accuracy of these weights is looked up")


def run(options: argparse.Namespace) -> Answer:
    """Write the file and describe it."""
    check_builds()
    from bench.deploy.export import export_system

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
    text = f"wrote {options.out}, {size}: {about['system']}, {describe_classes(labels, about)}"
    return 0, document, f"{text}\nread images with it: bench recognize {options.out} IMAGE"
