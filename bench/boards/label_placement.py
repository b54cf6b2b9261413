"""Places the labels of a scatter plot so that they cover neither each other nor points or lines."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, product

CHARACTER = 0.6  # mean width of a character as a share of the font size, of the widest common sans-serif fonts
POINT = 5.0  # half the side of the square that a marker covers, pixels
GAPS = (7.0, 14.0, 24.0, 36.0, 50.0, 66.0)  # candidate distances from point to label, pixels
NEAR = GAPS[2]  # largest distance of an optional label: leader lines across a crowd are unreadable
TOGETHER = 16.0  # points closer than this look like one, so their labels need not tell them apart, pixels
DIRECTIONS = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1))
# Costs: leaving the frame is worst, then covering text or points; crossing bars and lines costs little.
OUTSIDE, COVERED, CROSSED, DISTANCE = 50.0, 10.0, 1.5, 0.6


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels; (x0, y0) is the lower left corner."""

    x0: float
    y0: float
    x1: float
    y1: float

    def grown(self, by: float) -> "Box":
        """The box with a margin; its corners may be in any order."""
        left, right = sorted((self.x0, self.x1))
        low, high = sorted((self.y0, self.y1))
        return Box(left - by, low - by, right + by, high + by)

    def overlap(self, other: "Box") -> float:
        """Area of the intersection, square pixels."""
        width = min(self.x1, other.x1) - max(self.x0, other.x0)
        height = min(self.y1, other.y1) - max(self.y0, other.y0)
        return max(width, 0.0) * max(height, 0.0)

    @property
    def area(self) -> float:
        """Square pixels."""
        return (self.x1 - self.x0) * (self.y1 - self.y0)


@dataclass(frozen=True)
class Label:
    """A placed label: its box, the end of its leader line, whether it needs one, and its distance in pixels."""

    box: Box
    anchor_x: float
    anchor_y: float
    far: bool
    distance: float


def place(
    names: Sequence[str],
    centres: Sequence[tuple[float, float]],
    bars: Sequence[Box],
    line: Sequence[tuple[float, float]],
    frame: Box,
    size: float,
    needed: Sequence[bool],
) -> list[Label | None]:
    """Place each label next to its point; None if there is no free place. Deterministic, all in pixels.

    Args:
        names: one-line label texts.
        centres: the points.
        bars: error bars, which labels should not cross.
        line: corners of a line that labels should not cross.
        frame: labels stay inside.
        size: of the font.
        needed: which labels must be placed, even far away or on top of something.
    """
    points = [Box(x, y, x, y).grown(POINT) for x, y in centres]
    soft = [*bars, *_boxes_along(line)]
    occupied: list[Box] = []
    labels: list[Label | None] = [None] * len(names)
    # Crowded points first: they have the fewest free places.
    for index in sorted(range(len(names)), key=lambda i: (not needed[i], -_neighbours(i, centres), i)):
        width, height = len(names[index]) * CHARACTER * size, 1.15 * size
        hard = [*occupied, *points]
        candidates = _candidates(*centres[index], width, height)
        if not needed[index]:
            rivals = [centre for centre in centres if math.dist(centre, centres[index]) > TOGETHER]
            candidates = [one for one in candidates if one.distance <= NEAR and _is_free(one, frame, hard, rivals)]
        best = min(candidates, key=lambda label: _cost(label, frame, hard, soft), default=None)
        if best is not None:
            labels[index] = best
            occupied.append(best.box.grown(1.0))
    return labels


def _is_free(label: Label, frame: Box, hard: Sequence[Box], rivals: Sequence[tuple[float, float]]) -> bool:
    """Whether a label covers nothing and is closer to its own point than to any other."""
    around = [Box(x, y, x, y).grown(label.distance + 1) for x, y in rivals]
    inside = label.box.overlap(frame) >= 0.999 * label.box.area
    return inside and not any(label.box.overlap(one) for one in (*hard, *around))


def _neighbours(index: int, centres: Sequence[tuple[float, float]]) -> int:
    """Number of points within about a label's length."""
    x, y = centres[index]
    return sum(abs(x - other_x) < 120 and abs(y - other_y) < 40 for other_x, other_y in centres)


def _candidates(x: float, y: float, width: float, height: float) -> list[Label]:
    labels = []
    for gap, (across, up) in product(GAPS, DIRECTIONS):
        left = x + across * gap - (width if across < 0 else width / 2 if across == 0 else 0)
        low = y + up * gap - height / 2
        box = Box(left, low, left + width, low + height)
        anchor_x, anchor_y = min(max(x, box.x0), box.x1), min(max(y, box.y0), box.y1)
        labels.append(Label(box, anchor_x, anchor_y, far=gap > GAPS[1], distance=gap))
    return labels


def _cost(label: Label, frame: Box, hard: Sequence[Box], soft: Sequence[Box]) -> float:
    outside = label.box.area - label.box.overlap(frame)
    covered = sum(label.box.overlap(other) for other in hard)
    crossed = sum(label.box.overlap(other) for other in soft)
    return OUTSIDE * outside + COVERED * covered + CROSSED * crossed + DISTANCE * label.distance


def _boxes_along(line: Sequence[tuple[float, float]]) -> list[Box]:
    boxes = []
    for (x0, y0), (x1, y1) in pairwise(line):
        steps = max(1, math.ceil(max(abs(x1 - x0), abs(y1 - y0)) / 4))
        for step in range(steps):
            share = (step + 0.5) / steps
            x, y = x0 + share * (x1 - x0), y0 + share * (y1 - y0)
            boxes.append(Box(x, y, x, y).grown(2.0))
    return boxes
