"""Tiny folders of photographs laid out as ImageNet's."""

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def write_imagenet(root: Path, classes: int, val: int = 1, train: int = 0) -> Path:
    """``root/val/CLASS/*.JPEG`` and, where any are wanted, ``root/train/CLASS/*.JPEG``: so many of each class."""
    for part, count in (("val", val), ("train", train)):
        for label in range(classes if count else 0):
            folder = root / part / f"n{label:08}"
            folder.mkdir(parents=True)
            for number in range(count):
                (folder / f"{part}_{number}.JPEG").write_bytes(jpeg(photograph(label, number)))
    return root


def photograph(label: int, number: int, height: int = 20, width: int = 30) -> NDArray[np.uint8]:
    """A patch of one colour for its class and number, uint8 (h, w, 3)."""
    return np.full((height, width, 3), ((37 * label) % 256, (91 * number) % 256, 128), np.uint8)


def jpeg(pixels: NDArray[np.uint8], form: str = "JPEG") -> bytes:
    """Pixels as a file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, form)
    return buffer.getvalue()
