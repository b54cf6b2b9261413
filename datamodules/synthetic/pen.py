"""Renders pen strokes as grey levels: line width, pressure, ink, and blur and noise of a scanner."""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

PAPER = 255  # as in CASIA's files, which replace scanned paper with pure white
FINE = 3  # supersampling factor: grey edges, and line widths in thirds of a pixel
SHIFT = 4  # fractional bits of OpenCV's drawing coordinates
LEVELS = 4  # number of different line widths in one character
BANK = 512  # side of the precomputed noise image; each character uses a random crop
FAINTEST = 250  # lighter grey levels become paper

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Pen:
    """Parameters of a pen and a scanner."""

    width: float  # line width, native pixels
    contrast: float  # share of the width that varies with pressure
    darkness: float  # mean difference of ink from paper, grey levels
    grain: float  # standard deviation of the ink's grey levels from pixel to pixel
    flow: float  # standard deviation of the ink's grey levels over longer distances
    blur: float  # standard deviation of the scanner's blur, pixels


def ink(starts: Floats, ends: Floats, pressure: Floats, pen: Pen, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw line segments and crop to the bounding box of the ink.

    Args:
        starts: float32 (n, 2), native pixels, x first, all positive.
        ends: as ``starts``.
        pressure: float32 (n,), line width as a share of that of the pen.
        pen: parameters of the pen and the scanner.
        rng: for the noise.

    Returns: uint8 (h, w), paper 255.
    """
    reach = np.maximum(starts.max(0), ends.max(0)) + pen.width + 3
    width, height = int(reach[0]), int(reach[1])
    cover = _cover(starts, ends, pressure, pen, (width, height))
    if pen.blur > 0:
        cover = cv2.GaussianBlur(cover, (0, 0), pen.blur)  # type: ignore[assignment]
    y, x = rng.integers(0, BANK - np.minimum((height, width), BANK - 1))
    fine, coarse = (bank[y : y + height, x : x + width] for bank in _noise())
    dark = cover.astype(np.float32) * ((pen.darkness + pen.grain * fine + pen.flow * coarse) / 255)
    image = PAPER - np.clip(dark, 0, PAPER).astype(np.uint8)
    image[image > FAINTEST] = PAPER
    left, top, w, h = cv2.boundingRect((image < PAPER).view(np.uint8))
    return np.ascontiguousarray(image[top : top + h, left : left + w])


def _cover(starts: Floats, ends: Floats, pressure: Floats, pen: Pen, size: tuple[int, int]) -> NDArray[np.uint8]:
    """The share of each pixel that the pen covers, uint8 (h, w), 255 for all of it."""
    fine = np.zeros((size[1] * FINE, size[0] * FINE), np.uint8)
    lines = (np.stack([starts, ends], 1) * (FINE << SHIFT)).astype(np.int32)
    widths = np.maximum(1, (pen.width * FINE * pressure).round()).astype(np.int64)
    order = np.argsort(widths, kind="stable")
    lines, widths = lines[order], widths[order]
    bounds = [len(order) * i // LEVELS for i in range(LEVELS + 1)]
    for low, high in pairwise(bounds):
        if low < high:
            width = int(widths[(low + high) // 2])
            cv2.polylines(fine, lines[low:high], False, 255, width, cv2.LINE_8, SHIFT)  # type: ignore[call-overload]
    return cv2.resize(fine, size, interpolation=cv2.INTER_AREA)  # type: ignore[return-value]


@lru_cache(maxsize=1)
def _noise() -> tuple[Floats, Floats]:
    """Fixed noise of unit variance: grain of one pixel, and clouds of about eight pixels."""
    rng = np.random.default_rng(0)
    fine = cv2.GaussianBlur(rng.standard_normal((BANK, BANK)).astype(np.float32), (0, 0), 0.6)
    coarse = cv2.resize(rng.standard_normal((BANK // 8, BANK // 8)).astype(np.float32), (BANK, BANK))
    return (fine / fine.std()).astype(np.float32), (coarse / coarse.std()).astype(np.float32)
