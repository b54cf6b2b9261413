"""Finds the one character of a photo or scan and crops it as in training data: dark ink on white paper."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from datamodules._errors import DataError
from datamodules._image import PAPER

# All limits were set on real characters (HWDB, 100 classes) and on rows, columns and squares composed of them.
LEAST_CONTRAST = 16  # grey levels between ink and paper; pencil on paper has more
LEAST_SEPARATION = 3.5  # contrast in standard deviations within ink and paper; the halves of pure noise have 2.6
MOST_PARTS = 12  # connected parts, if the strokes are long too; one character in a thousand has more than 10
MOST_STROKES = 7.0  # length of all strokes, in short sides of the bounding box
LEAST_GAP = 0.04  # blank between two characters, in short sides
LEAST_SHARE = 0.1  # share of the ink in each row or column of characters
LEAST_CELL = 0.4  # ink of each of four or more characters, relative to the mean
WIDEST, TALLEST = 1.9, 2.8  # long by short side of one character with a gap across the long side

_LEVEL = 200  # of paper in even light; leaves room for noise above it
_SURFACE = 64  # pixels a side at which the light on the paper is estimated
_STROKE = 15  # pixels at that size of the widest stroke
_SPECK = 0.01  # parts with less than this share of the largest part's area are dirt
_LEVELS = np.arange(256.0)
_KERNEL = np.ones((_STROKE, _STROKE), np.uint8)


def find_character(grey: NDArray[np.uint8], name: str) -> NDArray[np.uint8]:
    """Crop the one character of an image to its bounding box, with even light, paper 255 and dark ink.

    The image, uint8 (h, w), has dark ink on light paper or the reverse; the light may be uneven.

    Returns: uint8 (h', w').

    Raises:
        DataError: no ink, or more than one character.
    """
    even = _even_light(grey)
    threshold, levels = _ink_level(even, name)
    ink = (even < threshold).astype(np.uint8)
    parts = _parts(ink)
    if parts.ink is not ink:
        even = np.where(ink > parts.ink, np.uint8(PAPER), even)  # dirt
    fault = _fault(parts.ink[parts.box], parts.count)
    if fault:
        raise DataError(name, 0, "one character", fault, "Cut out one character, with a little paper around it.")
    return cv2.LUT(np.ascontiguousarray(even[parts.box]), levels)  # type: ignore[return-value]


def refuse_blank(colour: NDArray[np.uint8], name: str) -> None:
    """Refuse a picture, uint8 (h, w, 3), with less than LEAST_CONTRAST in every channel.

    Raises:
        DataError: a blank image.
    """
    if np.ptp(colour.reshape(-1, colour.shape[-1]), axis=0).max() < LEAST_CONTRAST:
        raise DataError(name, 0, "a picture of something", "a blank image: one colour all over", "")


@dataclass(frozen=True)
class _Parts:
    """The connected parts of the ink without dirt."""

    count: int
    ink: NDArray[np.uint8]  # 0 or 1
    box: tuple[slice, slice]  # rows and columns that contain them


def _even_light(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Dark ink on light paper in even light: every pixel relative to the paper around it."""
    height, width = grey.shape
    scale = min(1.0, _SURFACE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)
    # Closing fills strokes with the paper around them, and keeps shadows that are wider than strokes.
    mostly_white = 2 * np.count_nonzero(small == PAPER) > small.size
    if mostly_white and cv2.morphologyEx(small, cv2.MORPH_CLOSE, _KERNEL).min() == PAPER:
        return grey
    if _light_on_dark(small):
        grey, small = 255 - grey, 255 - small
    # A slope of light is removed first, because at the picture's dark edge there is no darker paper to compare with.
    rises = _rises(small)
    level = (small - _plane(rises, small.shape)).clip(0, 255).astype(np.uint8)
    paper = cv2.blur(cv2.morphologyEx(level, cv2.MORPH_CLOSE, _KERNEL), (3, 3)).astype(np.float32)
    surface = cv2.resize(paper, (width, height), interpolation=cv2.INTER_LINEAR) + _plane(rises, grey.shape)
    even: NDArray[np.uint8] = (grey * (_LEVEL / surface.clip(1))).clip(0, 255).astype(np.uint8)
    return even


def _rises(small: NDArray[np.uint8]) -> tuple[float, float]:
    """Rise in grey levels of the least-squares plane of a picture, from top to bottom and from left to right."""
    down, across = (_places(length) for length in small.shape)
    return (
        float((small.mean(1) * down).sum() / max(1e-6, (down**2).sum())),
        float((small.mean(0) * across).sum() / max(1e-6, (across**2).sum())),
    )


def _plane(rises: tuple[float, float], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """The plane with these rises for a picture of this shape, 0 in its brightest corner."""
    plane = rises[0] * _places(shape[0])[:, None] + rises[1] * _places(shape[1])
    return (plane - (abs(rises[0]) + abs(rises[1])) / 2).astype(np.float32)


def _places(length: int) -> NDArray[np.float64]:
    """Pixel centres, -1/2 to 1/2."""
    return (np.arange(length) + 0.5) / length - 0.5


def _light_on_dark(small: NDArray[np.uint8]) -> bool:
    """Whether the ink is light: after slow changes of light are removed, the light parts are narrower than the dark.

    Comparing areas or edges would fail: bold characters fill half of their box, and 回 all its edges.
    """
    around = cv2.blur(small, (2 * _STROKE + 1, 2 * _STROKE + 1), borderType=cv2.BORDER_REFLECT)
    relief = cv2.addWeighted(small, 0.5, around, -0.5, 128)
    _, light = cv2.threshold(relief, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return _width(np.asarray(light, np.uint8)) < _width(np.asarray(1 - light, np.uint8))


def _width(part: NDArray[np.uint8]) -> float:
    """Mean distance of the part's pixels to its outside."""
    if part.all():
        return math.inf
    return float(cv2.distanceTransform(part, cv2.DIST_L2, 3).sum() / max(1, np.count_nonzero(part)))


def _ink_level(even: NDArray[np.uint8], name: str) -> tuple[int, NDArray[np.uint8]]:
    """The threshold below which pixels are ink, and a lookup table that stretches ink to black and paper to white."""
    level, _ = cv2.threshold(even, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    threshold = int(level) + 1
    counts = cv2.calcHist([even], [0], None, [256], [0, 256]).ravel().astype(np.float64)
    below = counts.cumsum()
    dark, light = below[threshold - 1], below[-1] - below[threshold - 1]
    if not dark or not light:
        raise _blank(name)
    sums, squares = (counts * _LEVELS).cumsum(), (counts * _LEVELS**2).cumsum()
    ink, paper = sums[threshold - 1] / dark, (sums[-1] - sums[threshold - 1]) / light
    within = math.sqrt(max(0.0, squares[-1] - dark * ink**2 - light * paper**2) / below[-1])
    if paper - ink < max(LEAST_CONTRAST, LEAST_SEPARATION * within):
        raise _blank(name)
    black = int(below.searchsorted(0.01 * dark))
    # The paper's median: levels below include the edges of strokes, levels above are only noise.
    median = int(below.searchsorted(dark + 0.5 * light))
    noise = math.sqrt((counts[median:] @ _LEVELS[: 256 - median] ** 2) / counts[median:].sum())
    white = max(median - 2 * noise, black + 1)
    stretched = (_LEVELS - black) * (PAPER / (white - black))
    return threshold, stretched.round().clip(0, 255).astype(np.uint8)


def _parts(ink: NDArray[np.uint8]) -> _Parts:
    x, y, width, height = cv2.boundingRect(ink)  # crop first: a scan's margins would cost more time than the character
    inside = slice(y, y + height), slice(x, x + width)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(np.ascontiguousarray(ink[inside]), connectivity=8)
    area = stats[:, cv2.CC_STAT_AREA]
    kept = area >= _SPECK * area[1:].max()
    real = stats[1:][kept[1:]]
    if len(real) + 1 < len(stats):
        kept[0] = False
        ink = np.zeros_like(ink)
        ink[inside] = kept.astype(np.uint8)[labels]
    left, top = x + real[:, cv2.CC_STAT_LEFT], y + real[:, cv2.CC_STAT_TOP]
    right, bottom = left + real[:, cv2.CC_STAT_WIDTH], top + real[:, cv2.CC_STAT_HEIGHT]
    # One more pixel on each side, because edges of strokes are lighter than ink.
    rows, columns = slice(max(0, top.min() - 1), bottom.max() + 1), slice(max(0, left.min() - 1), right.max() + 1)
    return _Parts(len(real), ink, (rows, columns))


def _fault(ink: NDArray[np.uint8], parts: int) -> str:
    """Why the ink in its bounding box is not one character; empty if it may be one."""
    height, width = ink.shape
    if parts > MOST_PARTS and _strokes(ink) > MOST_STROKES * min(height, width):
        return f"a page or a line of several: {parts} separate parts"
    if parts < 4 and width <= WIDEST * height and height <= TALLEST * width:
        return ""  # too few parts for two rows of two
    gap = LEAST_GAP * min(height, width)
    columns, rows = _groups(ink.sum(0, dtype=np.int64), gap), _groups(ink.sum(1, dtype=np.int64), gap)
    across, down = len(columns) - 1, len(rows) - 1
    if (across > 1 and width > WIDEST * height) or (down > 1 and height > TALLEST * width):
        return f"a line of {max(across, down)} or more"
    if across > 1 and down > 1:
        cells = np.add.reduceat(np.add.reduceat(ink.astype(np.int64), columns[:-1], 1), rows[:-1], 0)
        if cells.min() > LEAST_CELL * cells.mean():
            return f"{down} rows of {across}"
    return ""


def _strokes(ink: NDArray[np.uint8]) -> float:
    """Length of all strokes in pixels: half of their outline."""
    inside = cv2.erode(ink, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return (cv2.countNonZero(ink) - cv2.countNonZero(inside)) / 2


def _groups(ink: NDArray[np.int64], least: float) -> list[int]:
    """Cuts between groups of rows or columns that blank gaps of more than ``least`` pixels separate, with both ends.

    ``ink`` counts the ink of each row or column; the first and the last are not blank.
    """
    written = np.flatnonzero(ink)
    gaps = np.flatnonzero(np.diff(written) > least)
    cuts = [0, *((written[gaps] + written[gaps + 1]) // 2 + 1).tolist(), len(ink)]
    shares = np.add.reduceat(ink, cuts[:-1]) / ink.sum()
    # A group with too little ink for a character, such as a dot, belongs to the group before it.
    return [0, *(cut for cut, share in zip(cuts[1:-1], shares[1:], strict=True) if share > LEAST_SHARE), len(ink)]


def _blank(name: str) -> DataError:
    return DataError(name, 0, "one character", "a blank image: no ink stands out from its paper", "")
