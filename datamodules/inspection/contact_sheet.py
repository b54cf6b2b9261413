"""Contact sheets: pictures of many characters at native size on a grid."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from datamodules._files import write_whole
from datamodules._image import PAPER

GAP = 4  # pixels of paper between the largest neighbours
LARGEST_CELL = 256  # pixels; larger images, such as whole pages, are shrunk to it


def contact_sheet(images: Sequence[NDArray[np.uint8]], columns: int = 16) -> NDArray[np.uint8]:
    """Characters row by row, each centred in its cell at native size, or shrunk to LARGEST_CELL if larger.

    Images are uint8 (h, w) or (h, w, 3), RGB.

    Returns: uint8 (H, W), or (H, W, 3) if any image is in colour.

    Raises:
        ValueError: no image, or no column.
    """
    if not images or columns < 1:
        raise ValueError(f"wanted at least one image and one column, got {len(images)} and {columns}")
    cells = [_shrink(image) for image in images]
    if any(image.ndim == 3 for image in cells):
        cells = [image if image.ndim == 3 else np.repeat(image[..., None], 3, 2) for image in cells]
    height, width = (max(image.shape[axis] for image in cells) + GAP for axis in (0, 1))
    rows = -(-len(cells) // columns)
    sheet = np.full((rows * height, min(columns, len(cells)) * width, *cells[0].shape[2:]), PAPER, np.uint8)
    for index, image in enumerate(cells):
        h, w = image.shape[:2]
        top = index // columns * height + (height - h) // 2
        left = index % columns * width + (width - w) // 2
        sheet[top : top + h, left : left + w] = image
    return sheet


def write_contact_sheet(path: Path, images: Sequence[NDArray[np.uint8]], columns: int = 16) -> None:
    """Write ``contact_sheet`` as a PNG file, atomically."""
    sheet = contact_sheet(images, columns)
    write_whole(path, cv2.imencode(".png", sheet if sheet.ndim == 2 else sheet[..., ::-1])[1].tobytes())


def _shrink(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    scale = LARGEST_CELL / max(height, width)
    if scale >= 1:
        return image
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)  # type: ignore[return-value]
