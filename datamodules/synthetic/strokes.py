"""Splits glyphs into pen strokes: skeletonises the glyph and traces its lines.

The default font is built into OpenCV 5; it has all characters of GB2312 level 1, with even, square-ended lines.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from datamodules.synthetic.skeleton import skeleton_paths

EM = 96  # pixels: lines are then 4 to 8 px wide, and the narrowest gaps of dense characters stay open
CANVAS = EM + 16  # the em square with a margin, because some glyphs exceed it
BASELINE = round(CANVAS * 0.82)  # pixels from the top; centres the box of the glyph on the canvas
SPACING = 0.055  # em between the points of a stroke: small boxes keep two points on each side of a corner
HOOK = 0.16  # em; shorter arms at a lower right corner are hooks, a part of their stroke
ARM = 0.07  # em; shorter arms at an upper left corner are spurs of the skeleton
WOBBLE = 1.2  # pixels: the deviation of skeleton lines at junctions
SQUARE = 0.76  # cosine of 40°: the largest deviation of a corner's arms from horizontal and vertical
THICKNESS = 0.05  # em: about the line width of the font
REACH = 0.45  # em; ends farther apart are never joined in cursive writing

Path = NDArray[np.float64]  # (n, 2), x and y


@dataclass(frozen=True)
class Strokes:
    """n points of k pen strokes of a character; lengths in em, x to the right, y down, origin at the box centre."""

    points: NDArray[np.float32]  # (n, 2): x and y, stroke by stroke in writing direction
    stroke: NDArray[np.int64]  # (n,): the stroke of each point
    along: NDArray[np.float32]  # (n,): 0 at the start of the stroke, 1 at its end
    part: NDArray[np.int64]  # (k,): the connected part of the character that each stroke belongs to
    flatness: NDArray[np.float32]  # (parts,): width over height of each part, clipped to 1/4 to 4
    slimness: NDArray[np.float32]  # (k, 2): height over width, and width over height, clipped to 1 to 6
    first: NDArray[np.int64]  # (k,): index of the first point of each stroke
    last: NDArray[np.int64]  # (k,): index of the last point of each stroke
    joins: NDArray[np.int64]  # (m, 2): end and start points that cursive writing may connect


@lru_cache(maxsize=8192)
def strokes(character: str) -> Strokes:
    """The strokes of a character; raises ValueError if its glyph is blank."""
    glyph = np.zeros((CANVAS, CANVAS), np.uint8)
    cv2.putText(glyph, character, (8, BASELINE), 255, cv2.FontFace("uni"), EM)
    lines = (glyph > 127).astype(np.uint8)
    if not lines.any():
        raise ValueError(f"{character!r} has no ink")
    return trace(lines)


def trace(lines: NDArray[np.uint8]) -> Strokes:
    """The strokes of a glyph.

    Args:
        lines: uint8 (h, w), 1 where there is ink, 0 elsewhere and at the border; an em is EM pixels.

    Raises:
        ValueError: thinning leaves no line.
    """
    paths = [piece for path in skeleton_paths(lines) for piece in _split_corners(path)]
    if not paths:
        raise ValueError("a glyph without lines: thinning leaves nothing of it")
    return assemble(paths, lines)


def assemble(paths: Sequence[Path], lines: NDArray[np.uint8], in_order: bool = False) -> Strokes:
    """Combine pen paths into the strokes of one character, in writing order and direction.

    Args:
        paths: float64 (n, 2) each, x and y in pixels of ``lines``; an em is EM pixels.
        lines: uint8 (h, w), 1 where there is ink; its connected components are the parts of the character.
        in_order: the paths are in writing order and direction already; otherwise both are guessed from their places.
    """
    if in_order:
        paths = [_spaced(path) for path in paths]
    else:
        paths = sorted(map(_resample, paths), key=lambda path: (path[0, 1] + 0.5 * path[0, 0], path[-1, 0]))
    _, labels = cv2.connectedComponents(lines)
    middles = [path[len(path) // 2].round().astype(int) for path in paths]
    _, part = np.unique([labels[y, x] for x, y in middles], return_inverse=True)
    counts = np.array([len(path) for path in paths])
    last = np.cumsum(counts) - 1
    first = last - counts + 1
    points = np.concatenate(paths)
    points = (points - (points.max(0) + points.min(0)) / 2) / EM
    along = np.concatenate([np.linspace(0, 1, n) for n in counts])
    stroke = np.repeat(np.arange(len(paths)), counts)
    part_sizes, stroke_sizes = _sizes(points, np.repeat(part, counts)), _sizes(points, stroke)
    return Strokes(
        points.astype(np.float32), stroke, along.astype(np.float32), part.astype(np.int64),
        flatness=np.clip(part_sizes[:, 0] / part_sizes[:, 1], 1 / 4, 4).astype(np.float32),
        slimness=np.clip(stroke_sizes[:, ::-1] / stroke_sizes, 1, 6).astype(np.float32),
        first=first, last=last, joins=_join_candidates(points, first, last),
    )  # fmt: skip


def _split_corners(path: Path) -> Iterator[Path]:
    """Split a path where people lift the pen: at upper left and lower right corners, such as those of a box."""
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


def _resample(path: Path) -> Path:
    """Straighten, turn into writing direction (from the left, or from the top if steep) and space evenly."""
    corners = cv2.approxPolyDP(path.astype(np.float32).reshape(-1, 1, 2), WOBBLE, False)
    smooth: Path = corners[:, 0].astype(np.float64)
    run = smooth[-1] - smooth[0]
    if run[0] + 1.6 * run[1] < 0:  # 1.6: lines that rise by less than 32° are written to the right
        smooth = smooth[::-1]
    return _spaced(smooth)


def _spaced(smooth: Path) -> Path:
    """Points at even distances on a path."""
    travelled = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(smooth, axis=0).T))])
    count = max(3, math.ceil(travelled[-1] / (SPACING * EM)) + 1)
    marks = np.linspace(0, travelled[-1], count)
    return np.stack([np.interp(marks, travelled, smooth[:, i]) for i in (0, 1)], 1)


def _join_candidates(points: Path, first: NDArray[np.int64], last: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each stroke, a later one that cursive writing may join: near, and preferably not to the upper right."""
    pairs = []
    joined: set[int] = set()
    for i, end in enumerate(last):
        best, goal = REACH, -1
        for j in range(i + 1, min(i + 5, len(first))):
            dx, dy = (points[first[j]] - points[end]).tolist()
            cost = math.hypot(dx, dy) * (1.5 if dx > 0.1 and dy < -0.1 else 1.0) + 0.03 * (j - i - 1)
            if j not in joined and cost < best:
                best, goal = cost, j
        if goal >= 0:
            joined.add(goal)
            pairs.append((int(end), int(first[goal])))
    return np.array(pairs, np.int64).reshape(-1, 2)


def _sizes(points: Path, owner: NDArray[np.int64]) -> Path:
    """Width and height of each group of points; a straight line is THICKNESS thick."""
    return np.array([np.ptp(points[owner == number], 0) for number in range(owner.max() + 1)]) + THICKNESS
