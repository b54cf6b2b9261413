"""Makes exported models with random weights, and images to recognise, for comparisons of speed."""

from pathlib import Path

import cv2
import numpy as np

from bench.run.export import Sources, export_system
from bench.run.profile import random_row
from datamodules.readers.gb2312 import LEVEL1

SYSTEM, CLASSES = "fire:gwap", len(LEVEL1)
_MARGIN = 24  # pixels of paper around a character, as in a scan; `recognize` crops it


def write_export(system: str, classes: int, weights: Path) -> Path:
    """Export a system with ``classes`` characters to ONNX, next to its weights."""
    labels, out = weights.with_name("labels.txt"), weights.with_name("hanzi.onnx")
    labels.write_text("\n".join(LEVEL1[:classes]), encoding="utf-8")
    export_system(system, "onnxruntime", out, Sources(weights, labels=labels, leaderboards=weights.parent))
    return out


def random_export(folder: Path) -> Path:
    """Export fire:gwap for all characters, with random weights."""
    weights = folder / "weights.safetensors"
    random_row(SYSTEM, CLASSES, weights)
    return write_export(SYSTEM, CLASSES, weights)


def write_images(folder: Path, count: int) -> list[Path]:
    """Write synthetic characters as scans, grey PNG."""
    characters = random_row("nearest_mean", 2, folder / "unused.safetensors").characters(256)
    files = []
    for number in range(count):
        character = characters[number % len(characters)]
        files.append(folder / f"{number:04d}.png")
        cv2.imwrite(str(files[-1]), np.pad(character, _MARGIN, constant_values=255))
    return files
