"""A recogniser of printed characters to export: the class whose glyph is nearest, stored as a run stores it."""

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from bench.run.export import Sources, export_system
from datamodules._image import fit_matrix, resample
from tasks.architectures import nearest_mean
from tasks.normalised import Normalised, ink
from tasks.recogniser import save_weights

CHARACTERS = ("永", "回", "三", "小", "鑫")  # many strokes and few, ink at every edge, separate parts
SYSTEM = "nearest_mean"
FORMS = {"onnxruntime": "exported.onnx", "openvino": "exported.zip"}  # runtime -> file


def glyph(character: str, side: int = 120) -> NDArray[np.uint8]:
    """A printed character in its bounding box, uint8 (h, w), ink 0 on paper 255."""
    canvas = np.full((2 * side, 2 * side), 255, np.uint8)
    cv2.putText(canvas, character, (side // 2, 3 * side // 2), 0, cv2.FontFace("uni"), side, 400)
    rows, columns = (np.flatnonzero((canvas < 255).any(axis)) for axis in (1, 0))
    return canvas[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def write_checkpoint(path: Path, characters: Sequence[str] = CHARACTERS, labelled: bool = True) -> Path:
    """Weights that know these glyphs, with the metadata of a run or without."""
    channels, size = nearest_mean.INPUT
    network = nearest_mean.build("", len(characters), channels, size)
    fitted = [resample(image, fit_matrix(*image.shape, size), size) for image in map(glyph, characters)]
    network.update(ink(torch.from_numpy(np.stack(fitted))[:, None]), torch.arange(len(characters)))
    network.finish()
    labels = json.dumps(characters, ensure_ascii=False)
    said = {
        "architecture": SYSTEM, "recipe": "light", "dataset": "glyphs", "synthetic": "true", "labels": labels,
        "licence": "free of rights",
    }  # fmt: skip
    save_weights(Normalised(network.eval()), path, said if labelled else None)
    return path


def export_both(weights: Path, folder: Path, records: Path) -> None:
    """Export these weights into the folder, for both runtimes."""
    for runtime, name in FORMS.items():
        export_system(SYSTEM, runtime, folder / name, Sources(weights, leaderboards=records))
