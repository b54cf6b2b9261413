"""``bench export``: writes a trained system as one ONNX or OpenVINO file that runs without this package."""

import argparse
import json
from pathlib import Path

from bench.cli._arguments import Answer, add_records_folder
from bench.cli._recognizer_text import describe_classes
from bench.cli.doctor import check_builds

HELP = "export a trained system as one ONNX or OpenVINO file"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    add = parser.add_argument
    add("system", metavar="SYSTEM", help="name of a system; see: bench list systems")
    add("--checkpoint", type=Path, required=True, metavar="FILE", help="trained weights, a safetensors file")
    add("--format", choices=("onnx", "openvino"), required=True, help="openvino writes a zip of the .xml and the .bin")
    add("--out", type=Path, required=True, metavar="FILE", help="file to write")
    add("--labels", type=Path, metavar="FILE", help="class names, one per line, if the weights hold none")
    add_records_folder(parser, "--records", "folder that holds results/, to look up the accuracy of these weights")


def run(options: argparse.Namespace) -> Answer:
    """Write the file and describe it."""
    check_builds()
    from bench.deploy.export import export_system

    about = export_system(
        options.system, options.checkpoint, options.format, options.out, options.labels, options.records
    )
    labels, size = json.loads(about["labels"]), options.out.stat().st_size
    document = {
        "file": str(options.out), "format": options.format, "bytes": size, "system": about["system"],
        "dataset": about["dataset"], "classes": len(labels), "labels": labels,
        "provenance": json.loads(about["provenance"]),
    }  # fmt: skip
    text = f"wrote {options.out}, {size / 1e6:.2f} MB: {about['system']}, {describe_classes(labels, about)}"
    return 0, document, f"{text}\nto recognise images with it: bench recognize {options.out} IMAGE"
