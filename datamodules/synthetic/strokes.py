"""Printed glyphs taken apart into pen strokes: thin the glyph, follow the lines, put them together again.

The font is the one that OpenCV 5 carries; it draws every character of GB2312 level 1 with even, square-ended lines.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from datamodules.synthetic.skeleton import skeleton_paths

EM = 96  # pixels: lines are then 4 to 8 px wide and the narrowest gaps of dense characters stay open
CANVAS = EM + 16  # the em square and a margin, since some glyphs reach beyond it
BASELINE = round(CANVAS * 0.82)  # pixels from the top; places the glyph's box in the middle of the canvas
SPACING = 0.055  # em between the points of a stroke: a bend of a small box keeps two points a side
HOOK = 0.16  # em: shorter arms at the lower right are hooks and belong to their stroke
ARM = 0.07  # em: shorter arms at the upper left are whiskers
WOBBLE = 1.2  # pixels: thinned lines swerve by so much where another line meets them
SQUARE = 0.76  # cosine of 40°: how far the arms of a box's corner may be off level and upright
THICKNESS = 0.05  # em: about the width of the font's lines
REACH = 0.45  # em: farther ends are never joined in a running hand


@dataclass(frozen=True)
class Strokes:
    """A character as pen strokes; lengths in em, x to the right, y down, origin at the middle of its box.

    Attributes:
        points: float32 (n, 2), x and y, stroke by stroke in writing direction.
        stroke: int64 (n,), the stroke that a point belongs to.
        along: float32 (n,), 0 at the start of the stroke, 1 at its end.
        part: int64 (k,), for each stroke the connected part of the character that it belongs to.
        flatness: float32 (parts,), width over height of each part, 1/4 to 4.
        slimness: float32 (k, 2), for each stroke height over width and width over height, where above 1, to 6.
        first: int64 (k,), index of each stroke's first point.
        last: int64 (k,), index of each stroke's last point.
        joins: int64 (m, 2), pairs of points (end of a stroke, start of another) that a running hand may connect.
    """

    points: NDArray[np.float32]
    stroke: NDArray[np.int64]
    along: NDArray[np.float32]
    part: NDArray[np.int64]
    flatness: NDArray[np.float32]
    slimness: NDArray[np.float32]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    joins: NDArray[np.int64]


@lru_cache(maxsize=8192)
def strokes(character: str) -> Strokes:
    """The strokes of a character.

    Raises:
        ValueError: nothing but blank space.
    """
    glyph = np.zeros((CANVAS, CANVAS), np.uint8)
    cv2.putText(glyph, character, (8, BASELINE), 255, cv2.FontFace("uni"), EM)
    lines = (glyph > 127).astype(np.uint8)
    if not lines.any():
        raise ValueError(f"{character!r} has no ink")
    paths = [piece for path in skeleton_paths(lines) for piece in _split_corners(path)]
    return assemble(paths, lines)


def assemble(paths: Sequence[NDArray[np.float64]], lines: NDArray[np.uint8]) -> Strokes:
    """Pen paths as the strokes of one character, in writing order.

    Args:
        paths: float64 (n, 2) each, x and y in pixels of ``lines``, where an em is EM pixels; each is turned into
            writing direction.
        lines: uint8 (h, w), 1 where there is ink: which paths touch, and so make one part, is read from it.
    """
    evened = [_resample(path) for path in paths]
    return _assemble(sorted(evened, key=lambda path: (path[0, 1] + 0.5 * path[0, 0], path[-1, 0])), lines)


def _split_corners(path: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
    """Lift the pen where handwriting does: at an upper left or lower right corner, as of a box."""
    corners = cv2.approxPolyDP(path.astype(np.float32).reshape(-1, 1, 2), 3.0, False)[:, 0].astype(np.float64)
    start = 0
    for before, corner, after in zip(corners, corners[1:], corners[2:], strict=False):
        arms = np.stack([before - corner, after - corner])
        lengths = np.hypot(arms[:, 0], arms[:, 1])
        if lengths.min() < ARM * EM:
            continue
        (ax, ay), (bx, by) = (arms / lengths[:, None]).tolist()
        upper_left = max(ax, bx) > SQUARE and max(ay, by) > SQUARE
        lower_right = lengths.min() > HOOK * EM and min(ax, bx) < -SQUARE and min(ay, by) < -SQUARE
        at = start + int(np.abs(path[start:] - corner).sum(1).argmin())
        if (upper_left or lower_right) and start < at < len(path) - 1:
            yield path[start : at + 1]
            start = at
    yield path[start:]


def _resample(path: NDArray[np.float64]) -> NDArray[np.float64]:
    """Straightened, evenly spaced, in writing direction: from the left, or from the top where steep."""
    corners = cv2.approxPolyDP(path.astype(np.float32).reshape(-1, 1, 2), WOBBLE, False)
    smooth: NDArray[np.float64] = corners[:, 0].astype(np.float64)
    run = smooth[-1] - smooth[0]
    if run[0] + 1.6 * run[1] < 0:  # 1.6: lines rising by less than 32° are written to the right
        smooth = smooth[::-1]
    travelled = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(smooth, axis=0).T))])
    count = max(3, math.ceil(travelled[-1] / (SPACING * EM)) + 1)
    marks = np.linspace(0, travelled[-1], count)
    return np.stack([np.interp(marks, travelled, smooth[:, i]) for i in (0, 1)], 1)


def _assemble(paths: list[NDArray[np.float64]], lines: NDArray[np.uint8]) -> Strokes:
    _, labels = cv2.connectedComponents(lines)
    middles = [path[len(path) // 2].round().astype(int) for path in paths]
    _, part = np.unique([labels[y, x] for x, y in middles], return_inverse=True)
    counts = np.array([len(path) for path in paths])
    last = np.cumsum(counts) - 1
    first = last - counts + 1
    points = np.concatenate(paths)
    points = (points - (points.max(0) + points.min(0)) / 2) / EM
    along = np.concatenate([np.linspace(0, 1, n) for n in counts])
    return Strokes(
        points.astype(np.float32),
        np.repeat(np.arange(len(paths)), counts),
        along.astype(np.float32),
        part.astype(np.int64),
        _flatness(points, np.repeat(part, counts)),
        _slimness(points, np.repeat(np.arange(len(paths)), counts)),
        first,
        last,
        _join_candidates(points, first, last),
    )


def _join_candidates(
    points: NDArray[np.float64], first: NDArray[np.int64], last: NDArray[np.int64]
) -> NDArray[np.int64]:
    """For each stroke the next one that a hurried pen would run on to: near, later, rather not to the upper right."""
    pairs = []
    taken: set[int] = set()
    for i, end in enumerate(last):
        best, goal = REACH, -1
        for j in range(i + 1, min(i + 5, len(first))):
            dx, dy = (points[first[j]] - points[end]).tolist()
            cost = math.hypot(dx, dy) * (1.5 if dx > 0.1 and dy < -0.1 else 1.0) + 0.03 * (j - i - 1)
            if j not in taken and cost < best:
                best, goal = cost, j
        if goal >= 0:
            taken.add(goal)
            pairs.append((int(end), int(first[goal])))
    return np.array(pairs, np.int64).reshape(-1, 2)


def _flatness(points: NDArray[np.float64], owner: NDArray[np.int64]) -> NDArray[np.float32]:
    extents = _extents(points, owner)
    return np.clip(extents[:, 0] / extents[:, 1], 1 / 4, 4).astype(np.float32)


def _slimness(points: NDArray[np.float64], owner: NDArray[np.int64]) -> NDArray[np.float32]:
    extents = _extents(points, owner)
    return np.clip(extents[:, ::-1] / extents, 1, 6).astype(np.float32)


def _extents(points: NDArray[np.float64], owner: NDArray[np.int64]) -> NDArray[np.float64]:
    """Width and height of each owner's points; a straight line counts as THICKNESS thick."""
    return np.array([np.ptp(points[owner == each], 0) for each in range(owner.max() + 1)]) + THICKNESS
