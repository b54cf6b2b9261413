"""Printed glyphs taken apart into pen strokes: thin the glyph, follow the lines, put them together again.

The font is the one that OpenCV 5 carries; it draws every character of GB2312 level 1 with even, square-ended lines.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

EM = 96  # pixels: lines are then 4 to 8 px wide and the narrowest gaps of dense characters stay open
CANVAS = EM + 16  # the em square and a margin, since some glyphs reach beyond it
BASELINE = round(CANVAS * 0.82)  # pixels from the top; places the glyph's box in the middle of the canvas
SPACING = 0.055  # em between the points of a stroke: a bend of a small box keeps two points a side
SPUR = 3  # pixels: thinning leaves whiskers at the corners of square line ends
BRIDGE = 7  # pixels: crossings of thick lines thin to two forks up to a line's width apart
STRAIGHT_ON = 0.76  # cosine of 40°: two branches of a fork that differ less from a straight line are one stroke
HOOK = 0.16  # em: shorter arms at the lower right are hooks and belong to their stroke
ARM = 0.07  # em: shorter arms at the upper left are whiskers
WOBBLE = 1.2  # pixels: thinned lines swerve by so much where another line meets them
FLATTENED = 0.09  # by eye, beside real handwriting: roofs are an eighth narrower and higher than in print
REACH = 0.45  # em: farther ends are never joined in a running hand

Pixel = tuple[int, int]


@dataclass(frozen=True)
class Strokes:
    """A character as pen strokes; lengths in em, x to the right, y down, origin at the middle of its box.

    Attributes:
        points: float32 (n, 2), x and y, stroke by stroke in writing direction.
        stroke: int64 (n,), the stroke that a point belongs to.
        along: float32 (n,), 0 at the start of the stroke, 1 at its end.
        part: int64 (k,), for each stroke the connected part of the character that it belongs to.
        flatness: float32 (parts,), above 1 for parts wider than high, which print stretches to the full square.
        first: int64 (k,), index of each stroke's first point.
        last: int64 (k,), index of each stroke's last point.
        joins: int64 (m, 2), pairs of points (end of a stroke, start of another) that a running hand may connect.
    """

    points: NDArray[np.float32]
    stroke: NDArray[np.int64]
    along: NDArray[np.float32]
    part: NDArray[np.int64]
    flatness: NDArray[np.float32]
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
    cv2.putText(glyph, character, (8, BASELINE), 255, cv2.FontFace("uni"), EM)  # type: ignore[call-overload]
    lines = (glyph > 127).astype(np.uint8)
    if not lines.any():
        raise ValueError(f"{character!r} has no ink")
    paths = _join_straight(*_graph(_thin(lines)))
    paths = [piece for path in paths for piece in _split_corners(path)]
    return _assemble([_resample(path) for path in paths], lines)


def _lookup_tables() -> list[NDArray[np.uint8]]:
    """For both passes of the thinning, which neighbourhoods lose their middle pixel (Zhang and Suen 1984)."""
    tables = []
    for second in (False, True):
        table = np.zeros(256, np.uint8)
        for code in range(256):
            p = [(code >> bit) & 1 for bit in range(8)]  # north, then clockwise
            steps = sum(p[i] == 0 and p[(i + 1) % 8] == 1 for i in range(8))
            n, e, s, w = p[0], p[2], p[4], p[6]
            sides = (n * e * w == 0 and n * s * w == 0) if second else (n * e * s == 0 and e * s * w == 0)
            table[code] = 2 <= sum(p) <= 6 and steps == 1 and sides
        tables.append(table)
    return tables


_TABLES = _lookup_tables()
_NEIGHBOURS = np.array([[128, 1, 2], [64, 0, 4], [32, 16, 8]], np.float32)  # north is bit 0, then clockwise
_AROUND = [(-1, 0), (0, 1), (1, 0), (0, -1), (-1, 1), (1, 1), (1, -1), (-1, -1)]  # sides before corners


def _thin(lines: NDArray[np.uint8]) -> NDArray[np.uint8]:
    while True:
        before = int(lines.sum())
        for table in _TABLES:
            codes = cv2.filter2D(lines, cv2.CV_8U, _NEIGHBOURS, borderType=cv2.BORDER_CONSTANT)
            lines = lines & ~table[codes] & 1
        if int(lines.sum()) == before:
            return lines


def _neighbours(pixel: Pixel, ink: set[Pixel]) -> list[Pixel]:
    """Ink beside a pixel; a corner counts only where no side leads to it."""
    y, x = pixel
    sides = [(y + dy, x + dx) for dy, dx in _AROUND[:4] if (y + dy, x + dx) in ink]
    corners = [(y + dy, x + dx) for dy, dx in _AROUND[4:] if (y + dy, x + dx) in ink]
    return sides + [(a, b) for a, b in corners if (a, x) not in ink and (y, b) not in ink]


def _graph(thin: NDArray[np.uint8]) -> tuple[list[list[Pixel]], list[tuple[int, int]], int]:
    """Branches of the thinned glyph (pixel paths), the two nodes that each ends at, and the number of nodes."""
    ink = {(int(y), int(x)) for y, x in np.argwhere(thin)}
    beside = {pixel: _neighbours(pixel, ink) for pixel in ink}
    node_of: dict[Pixel, int] = {}
    count = 0
    for pixel in sorted(ink):
        if len(beside[pixel]) != 2 and pixel not in node_of:
            count += 1
            waiting = [pixel]
            while waiting:  # forks that touch are one node
                here = waiting.pop()
                if here not in node_of:
                    node_of[here] = count - 1
                    waiting += [p for p in beside[here] if len(beside[here]) > 2 and len(beside[p]) > 2]
    branches, ends = [], []
    seen: set[Pixel] = set()
    for path in _walk(beside, node_of, seen):
        branches.append(path)
        ends.append((node_of.get(path[0], -1), node_of.get(path[-1], -1)))
    for pixel in sorted(ink - seen - node_of.keys()):  # rings without a node; they open at their top left
        if pixel not in seen:
            node_of[pixel] = count
            branches += list(_walk(beside, {pixel: count}, seen))
            ends += [(count, count)] * (len(branches) - len(ends))
            count += 1
    return _contract(branches, ends, count)


def _walk(beside: dict[Pixel, list[Pixel]], nodes: dict[Pixel, int], seen: set[Pixel]) -> Iterator[list[Pixel]]:
    for start in sorted(nodes):
        if not beside[start]:
            yield [start, start]
        for step in beside[start]:
            if step in seen or (step in nodes and (nodes[step] == nodes[start] or step < start)):
                continue
            path = [start, step]
            while path[-1] not in nodes:
                seen.add(path[-1])
                onward = [p for p in beside[path[-1]] if p != path[-2]]
                if not onward:
                    break
                path.append(onward[0])
            yield path


def _contract(
    branches: list[list[Pixel]], ends: list[tuple[int, int]], count: int
) -> tuple[list[list[Pixel]], list[tuple[int, int]], int]:
    """Drop the whiskers of thinning and merge the two forks of each crossing."""
    degree = [0] * count
    for a, b in ends:
        degree[a] += 1
        degree[b] += 1
    name = list(range(count))
    kept = []
    for path, (a, b) in zip(branches, ends, strict=True):
        spur = len(path) <= SPUR and min(degree[a], degree[b]) == 1 and max(degree[a], degree[b]) > 2
        bridge = len(path) <= BRIDGE and degree[a] > 2 and degree[b] > 2 and a != b
        if bridge:
            old, new = name[a], name[b]
            name = [new if n == old else n for n in name]
        elif not spur:
            kept.append((path, (a, b)))
    return [path for path, _ in kept], [(name[a], name[b]) for _, (a, b) in kept], count


def _join_straight(branches: list[list[Pixel]], ends: list[tuple[int, int]], count: int) -> list[NDArray[np.float64]]:
    """Branches that run straight on through a fork become one stroke; float64 (n, 2), x and y in pixels."""
    at: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    for index, (a, b) in enumerate(ends):
        at[a].append((index, 0))
        at[b].append((index, 1))
    partner: dict[tuple[int, int], tuple[int, int]] = {}
    for arms in at:
        pairs = sorted(
            (float(_heading(branches, p) @ _heading(branches, q)), p, q)
            for i, p in enumerate(arms)
            for q in arms[i + 1 :]
            if p[0] != q[0]
        )
        for cosine, p, q in pairs:
            if cosine < -STRAIGHT_ON and p not in partner and q not in partner or len(arms) == 2:
                partner[p], partner[q] = q, p
    return list(_chains(branches, partner))


def _heading(branches: list[list[Pixel]], arm: tuple[int, int]) -> NDArray[np.float64]:
    path = branches[arm[0]][:: 1 if arm[1] == 0 else -1]
    near, far = path[min(3, len(path) - 1)], path[min(12, len(path) - 1)]
    if near == far:
        near = path[0]
    vector = np.array([far[1] - near[1], far[0] - near[0]], np.float64)
    return vector / max(float(np.hypot(*vector)), 1e-9)


def _chains(
    branches: list[list[Pixel]], partner: dict[tuple[int, int], tuple[int, int]]
) -> Iterator[NDArray[np.float64]]:
    used: set[int] = set()
    loose = [(i, side) for i in range(len(branches)) for side in (0, 1) if (i, side) not in partner]
    for arm in loose + [(i, 0) for i in range(len(branches))]:  # what is left over closes on itself
        if arm[0] in used:
            continue
        chain: list[Pixel] = []
        step: tuple[int, int] | None = arm
        while step is not None and step[0] not in used:
            used.add(step[0])
            chain += branches[step[0]][:: 1 if step[1] == 0 else -1]
            step = partner.get((step[0], 1 - step[1]))
        yield np.array(chain, np.float64)[:, ::-1]


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
        upper_left = max(ax, bx) > STRAIGHT_ON and max(ay, by) > STRAIGHT_ON
        lower_right = lengths.min() > HOOK * EM and min(ax, bx) < -STRAIGHT_ON and min(ay, by) < -STRAIGHT_ON
        at = start + int(np.abs(path[start:] - corner).sum(1).argmin())
        if (upper_left or lower_right) and start < at < len(path) - 1:
            yield path[start : at + 1]
            start = at
    yield path[start:]


def _resample(path: NDArray[np.float64]) -> NDArray[np.float64]:
    """Straightened, evenly spaced, in writing direction: from the left, or from the top where steep."""
    corners = cv2.approxPolyDP(path.astype(np.float32).reshape(-1, 1, 2), WOBBLE, False)  # type: ignore[call-overload]
    smooth: NDArray[np.float64] = corners[:, 0].astype(np.float64)
    run = smooth[-1] - smooth[0]
    if run[0] + 1.6 * run[1] < 0:  # 1.6: lines rising by less than 32° are written to the right
        smooth = smooth[::-1]
    travelled = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(smooth, axis=0).T))])
    count = max(3, math.ceil(travelled[-1] / (SPACING * EM)) + 1)
    marks = np.linspace(0, travelled[-1], count)
    return np.stack([np.interp(marks, travelled, smooth[:, i]) for i in (0, 1)], 1)


def _assemble(paths: list[NDArray[np.float64]], lines: NDArray[np.uint8]) -> Strokes:
    paths = sorted(paths, key=lambda path: (path[0, 1] + 0.5 * path[0, 0], path[-1, 0]))
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
        first,
        last,
        _join_candidates(points, first, last),
    )


def _join_candidates(
    points: NDArray[np.float64], first: NDArray[np.int64], last: NDArray[np.int64]
) -> NDArray[np.int64]:
    """For each stroke the next one that a hurried pen would run on to: near, not written before, not to the upper right."""
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
    extents = np.array([np.ptp(points[owner == part], 0) for part in range(owner.max() + 1)])
    ratio = (extents[:, 0] + 0.05) / (extents[:, 1] + 0.05)  # 0.05 em: a single line has no height of its own
    return np.clip(ratio, 0.25, 4).astype(np.float32) ** np.float32(FLATTENED)
