"""A file to take home and images to read with it, for comparisons of what reading takes: weights are random."""

from pathlib import Path

import cv2
import numpy as np

from bench.exporting import export_system
from bench.profiling import random_row
from datamodules._gb2312 import LEVEL1

SYSTEM = "fire:gwap"
_MARGIN = 24  # pixels of paper around a character, as in a scan: `recognize` cuts the character out


def write_home(folder: Path, classes: int = len(LEVEL1)) -> Path:
    """An exported SYSTEM for so many characters."""
    weights, labels, out = folder / "weights.safetensors", folder / "labels.txt", folder / "hanzi.onnx"
    random_row(SYSTEM, classes, weights)
    labels.write_text("\n".join(LEVEL1[:classes]), encoding="utf-8")
    export_system(SYSTEM, weights, "onnx", out, labels, leaderboards=folder)
    return out


def write_images(folder: Path, count: int) -> list[Path]:
    """Synthetic characters as scans, grey PNG."""
    characters = random_row("nearest_mean", 2, folder / "unused.safetensors").characters(256)
    files = []
    for number in range(count):
        character = characters[number % len(characters)]
        files.append(folder / f"{number:04d}.png")
        cv2.imwrite(str(files[-1]), np.pad(character, _MARGIN, constant_values=255))
    return files
