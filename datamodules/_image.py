"""Resizes and warps images: the only geometric routine, used by training, evaluation, latency and export."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

PAPER = 255  # grey level of blank paper, CASIA's convention
_AXIS_ALIGNED = 1e-6  # tolerance: smaller matrix entries count as 0, smaller fractions of a pixel as a whole pixel


def fit_matrix(height: int, width: int, size: int, margin: int = 0) -> NDArray[np.float64]:
    """The affine matrix for evaluation: centre on a blank square, then scale to ``size``.

    The scaled image covers whole output pixels, so that scaling needs no second interpolation.

    Args:
        height: native height in pixels.
        width: native width in pixels.
        size: output side in pixels.
        margin: blank output pixels on each side.

    Returns: float64 (2, 3), native coordinates (pixel edges, x first) -> output coordinates.
    """
    inner = size - 2 * margin
    side = max(height, width)
    new_w, new_h = max(1, round(width * inner / side)), max(1, round(height * inner / side))
    return np.array([[new_w / width, 0, (size - new_w) // 2], [0, new_h / height, (size - new_h) // 2]], np.float64)


def resample(image: NDArray[np.uint8], matrix: NDArray[np.float64], size: int) -> NDArray[np.uint8]:
    """Warp an image by an affine matrix onto a blank square, anti-aliased when shrinking.

    Shrinking applies an area filter along the image's axes; rotation, shear, shift and enlargement are bilinear. If the
    matrix scales to whole pixels, as that of ``fit_matrix`` does, the image is only resized and copied.

    Args:
        image: uint8 (h, w) or (h, w, 3).
        matrix: float64 (2, 3), native coordinates (pixel edges, x first) -> output coordinates.
        size: output side in pixels.

    Returns: uint8 (size, size) or (size, size, 3).
    """
    height, width = image.shape[:2]
    (a, b, left), (c, d, top) = matrix.tolist()
    new_w, new_h = _shrunk(width, math.hypot(a, c)), _shrunk(height, math.hypot(b, d))
    if (new_w, new_h) != (width, height):
        image = np.asarray(cv2.resize(image, (new_w, new_h), interpolation=cv2.INTER_AREA), np.uint8)
    placed = _place(image, a * width, d * height, left, top, size) if abs(b) + abs(c) < _AXIS_ALIGNED else None
    if placed is not None:
        return placed
    sx, sy = width / new_w, height / new_h
    a, b, c, d = a * sx, b * sy, c * sx, d * sy
    # OpenCV counts from pixel centres, our matrices from pixel edges: half a pixel of difference at both ends.
    warp = np.array([[a, b, left + (a + b - 1) / 2], [c, d, top + (c + d - 1) / 2]])
    border = PAPER if image.ndim == 2 else (PAPER, PAPER, PAPER)
    return cv2.warpAffine(image, warp, (size, size), borderMode=cv2.BORDER_CONSTANT, borderValue=border)  # type: ignore[return-value]


def with_channels(image: NDArray[np.uint8], channels: int) -> NDArray[np.uint8]:
    """Convert an image, uint8 (h, w) or (h, w, 3), to one or three channels."""
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
    """Resize and copy onto blank paper; None unless the image covers whole pixels, upright and not mirrored."""
    w, h, x, y = round(width), round(height), round(left), round(top)
    off = abs(width - w) + abs(height - h) + abs(left - x) + abs(top - y)
    if off > _AXIS_ALIGNED * 4 or w < 1 or h < 1 or x < 0 or y < 0 or x + w > size or y + h > size:
        return None
    if (w, h) != (image.shape[1], image.shape[0]):
        image = np.asarray(cv2.resize(image, (w, h), interpolation=cv2.INTER_LINEAR), np.uint8)
    paper = np.full((size, size, *image.shape[2:]), PAPER, np.uint8)
    paper[y : y + h, x : x + w] = image
    return paper
