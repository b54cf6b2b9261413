"""Where the labels of a picture go so that none covers another, a point or a line."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

# Widest common sans-serif faces average six tenths of the font size a character.
CHARACTER = 0.6
POINT = 5.0  # half the side of the square that a point's mark takes, pixels
GAPS = (7.0, 14.0, 24.0, 36.0, 50.0, 66.0)  # distances from point to label that are tried, pixels
NEAR = GAPS[2]  # farther than this a label may be only if it must be there: leader lines across a crowd tell nothing
TOGETHER = 16.0  # pixels within which points are one to the eye, and their labels need not tell them apart
DIRECTIONS = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1))
# Costs: leaving the frame is worst, then covering text or points; bars and lines may be crossed if need be.
OUTSIDE, COVERED, CROSSED, DISTANCE = 50.0, 10.0, 1.5, 0.6


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels, (x0, y0) lower left."""

    x0: float
    y0: float
    x1: float
    y1: float

    def grown(self, by: float) -> "Box":
        """The same with a margin, whichever way round its corners are."""
        left, right = sorted((self.x0, self.x1))
        low, high = sorted((self.y0, self.y1))
        return Box(left - by, low - by, right + by, high + by)

    def overlap(self, other: "Box") -> float:
        """Common area, square pixels."""
        width = min(self.x1, other.x1) - max(self.x0, other.x0)
        height = min(self.y1, other.y1) - max(self.y0, other.y0)
        return max(width, 0.0) * max(height, 0.0)

    @property
    def area(self) -> float:
        """Square pixels."""
        return (self.x1 - self.x0) * (self.y1 - self.y0)


@dataclass(frozen=True)
class Label:
    """A placed label: its box, and where a leader line from its point would end.

    Attributes:
        far: too far from its point to be read without a leader line.
        distance: from its point, pixels.
    """

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
    """A place for each name beside its point, None where there is no free one; the same input gives the same places.

    Args:
        names: texts, in one line each.
        centres: of their points, pixels.
        bars: what should not be crossed: error bars.
        line: corners of a line that should not be crossed.
        frame: labels stay within.
        size: of the font, pixels.
        needed: which names must have a place, be it far or on top of something.
    """
    points = [Box(x, y, x, y).grown(POINT) for x, y in centres]
    soft = [*bars, *_pieces(line)]
    taken: list[Box] = []
    found: list[Label | None] = [None] * len(names)
    # Crowded points first: they have the fewest places to go.
    for index in sorted(range(len(names)), key=lambda i: (not needed[i], -_neighbours(i, centres), i)):
        width, height = len(names[index]) * CHARACTER * size, 1.15 * size
        hard = [*taken, *points]
        candidates = _candidates(*centres[index], width, height)
        if not needed[index]:
            others = [centre for centre in centres if math.dist(centre, centres[index]) > TOGETHER]
            candidates = [one for one in candidates if one.distance <= NEAR and _is_free(one, frame, hard, others)]
        best = min(candidates, key=lambda label: _cost(label, frame, hard, soft), default=None)
        if best is not None:
            found[index] = best
            taken.append(best.box.grown(1.0))
    return found


def _is_free(label: Label, frame: Box, hard: Sequence[Box], others: Sequence[tuple[float, float]]) -> bool:
    """Whether a label covers nothing and is not as near to another point as to its own."""
    rivals = [Box(x, y, x, y).grown(label.distance + 1) for x, y in others]
    inside = label.box.overlap(frame) >= 0.999 * label.box.area
    return inside and not any(label.box.overlap(one) for one in (*hard, *rivals))


def _neighbours(index: int, centres: Sequence[tuple[float, float]]) -> int:
    """Points within about a label's length."""
    x, y = centres[index]
    return sum(abs(x - other_x) < 120 and abs(y - other_y) < 40 for other_x, other_y in centres)


def _candidates(x: float, y: float, width: float, height: float) -> list[Label]:
    found = []
    for gap in GAPS:
        for across, up in DIRECTIONS:
            left = x + across * gap - (width if across < 0 else width / 2 if across == 0 else 0)
            low = y + up * gap - height / 2
            box = Box(left, low, left + width, low + height)
            anchor_x = min(max(x, box.x0), box.x1)
            anchor_y = min(max(y, box.y0), box.y1)
            found.append(Label(box, anchor_x, anchor_y, far=gap > GAPS[1], distance=gap))
    return found


def _cost(label: Label, frame: Box, hard: Sequence[Box], soft: Sequence[Box]) -> float:
    outside = label.box.area - label.box.overlap(frame)
    covered = sum(label.box.overlap(other) for other in hard)
    crossed = sum(label.box.overlap(other) for other in soft)
    return OUTSIDE * outside + COVERED * covered + CROSSED * crossed + DISTANCE * label.distance


def _pieces(line: Sequence[tuple[float, float]]) -> list[Box]:
    """A line as small boxes along it."""
    boxes = []
    for (x0, y0), (x1, y1) in pairwise(line):
        steps = max(1, math.ceil(max(abs(x1 - x0), abs(y1 - y0)) / 4))
        for step in range(steps):
            share = (step + 0.5) / steps
            x, y = x0 + share * (x1 - x0), y0 + share * (y1 - y0)
            boxes.append(Box(x, y, x, y).grown(2.0))
    return boxes
