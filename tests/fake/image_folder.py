"""Tiny folders and zips of PNG images: grey, RGB and RGBA, of different native sizes."""

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

CLASSES = ("bar", "post")
MODES = ("L", "RGB", "RGBA")


def write_folder(
    root: Path,
    train: int = 6,
    test: int = 3,
    classes: Sequence[str] = CLASSES,
    modes: Sequence[str] = ("L",),
    seed: int = 0,
) -> Path:
    """``root/train/CLASS/*.png`` and ``root/test/CLASS/*.png``, so many images of each class.

    Classes are strokes of different directions, which any network learns within a few steps.
    """
    rng = np.random.default_rng(seed)
    for split, count in (("train", train), ("test", test)):
        for label, name in enumerate(classes):
            folder = root / split / name
            folder.mkdir(parents=True)
            for number in range(count):
                ink = stroke(label, len(classes), rng)
                (folder / f"{number:03}.png").write_bytes(png(ink, modes[number % len(modes)]))
    return root


def write_zip(folder: Path, target: Path, inner: str = "") -> Path:
    """The files of a folder as a zip, below ``inner`` where it is given."""
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(folder.rglob("*.png")):
            archive.write(path, Path(inner) / path.relative_to(folder))
    return target


def stroke(label: int, classes: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """One thick line at an angle of its class, grey uint8 (h, w), paper 255."""
    height, width = (int(side) for side in rng.integers(16, 24, 2))
    angle = np.pi * label / classes + rng.normal(0, 0.05)
    y, x = np.mgrid[:height, :width]
    distance = np.abs((y - height / 2) * np.cos(angle) + (x - width / 2) * np.sin(angle))
    return np.where(distance < 2, rng.integers(0, 90), 255).astype(np.uint8)


def png(ink: NDArray[np.uint8], mode: str) -> bytes:
    """Grey ink as a PNG; in RGBA it is black of that opacity on nothing."""
    if mode == "RGBA":
        pixels = np.zeros((*ink.shape, 4), np.uint8)
        pixels[..., 3] = 255 - ink
    else:
        pixels = ink if mode == "L" else np.repeat(ink[..., None], 3, 2)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()
