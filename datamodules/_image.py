"""The one geometric routine: training, evaluation, latency and export all resample through it."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

PAPER = 255  # grey level of blank paper, CASIA's convention
_AXIS_ALIGNED = 1e-6  # below this a matrix entry counts as 0, a position as a whole pixel


def fit_matrix(height: int, width: int, size: int, margin: int = 0) -> NDArray[np.float64]:
    """The evaluation geometry: pad to a square with paper, centred, then scale to ``size``.

    Args:
        height: native size in pixels.
        width: likewise.
        size: output side in pixels.
        margin: blank pixels of the output kept on each side.

    Returns: float64 (2, 3), native coordinates (pixel edges, x first) -> output coordinates. The scaled image
        covers whole output pixels, so that no interpolation follows the scaling.
    """
    inner = size - 2 * margin
    side = max(height, width)
    new_w, new_h = max(1, round(width * inner / side)), max(1, round(height * inner / side))
    return np.array([[new_w / width, 0, (size - new_w) // 2], [0, new_h / height, (size - new_h) // 2]], np.float64)


def resample(image: NDArray[np.uint8], matrix: NDArray[np.float64], size: int) -> NDArray[np.uint8]:
    """Map an image through an affine matrix onto a blank square, anti-aliased when shrinking.

    Shrinking is an area filter along the image's own axes; what remains (rotation, shear, shift, enlargement) is
    bilinear. A matrix that scales onto whole pixels, as ``fit_matrix`` gives, is filtered once and copied.

    Args:
        image: uint8 (h, w) or (h, w, 3).
        matrix: float64 (2, 3), native coordinates (pixel edges, x first) -> output coordinates.
        size: output side in pixels.

    Returns: uint8 (size, size) or (size, size, 3).
    """
    height, width = image.shape[:2]
    (a, b, left), (c, d, top) = matrix.tolist()
    new_w = _shrunk(width, math.hypot(a, c))
    new_h = _shrunk(height, math.hypot(b, d))
    if (new_w, new_h) != (width, height):
        image = np.asarray(cv2.resize(image, (new_w, new_h), interpolation=cv2.INTER_AREA), np.uint8)
    placed = _place(image, a * width, d * height, left, top, size) if abs(b) + abs(c) < _AXIS_ALIGNED else None
    if placed is not None:
        return placed
    sx, sy = width / new_w, height / new_h
    a, b, c, d = a * sx, b * sy, c * sx, d * sy
    # OpenCV's coordinates name pixel centres, ours pixel edges: half a pixel in, half a pixel out.
    rest = np.array([[a, b, left + (a + b - 1) / 2], [c, d, top + (c + d - 1) / 2]])
    border = PAPER if image.ndim == 2 else (PAPER, PAPER, PAPER)
    return cv2.warpAffine(image, rest, (size, size), borderMode=cv2.BORDER_CONSTANT, borderValue=border)  # type: ignore[return-value]


def with_channels(image: NDArray[np.uint8], channels: int) -> NDArray[np.uint8]:
    """An image, uint8 (h, w) or (h, w, 3), in one or three channels."""
    if channels == 1 and image.ndim == 3:
        return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)  # type: ignore[return-value]
    if channels == 3 and image.ndim == 2:
        return np.repeat(image[..., None], 3, 2)
    return image


def _shrunk(length: int, scale: float) -> int:
    return min(length, max(1, round(length * scale)))


def _place(
    image: NDArray[np.uint8], width: float, height: float, left: float, top: float, size: int
) -> NDArray[np.uint8] | None:
    """Copy an image onto blank paper where it lands on whole pixels, upright and unmirrored; None where it does not."""
    w, h, x, y = round(width), round(height), round(left), round(top)
    off = abs(width - w) + abs(height - h) + abs(left - x) + abs(top - y)
    if off > _AXIS_ALIGNED * 4 or w < 1 or h < 1 or x < 0 or y < 0 or x + w > size or y + h > size:
        return None
    if (w, h) != (image.shape[1], image.shape[0]):
        image = np.asarray(cv2.resize(image, (w, h), interpolation=cv2.INTER_LINEAR), np.uint8)
    paper = np.full((size, size, *image.shape[2:]), PAPER, np.uint8)
    paper[y : y + h, x : x + w] = image
    return paper
