"""Skeletonises a binary image and traces the lines of the skeleton, straight through forks and crossings."""

import math
from collections.abc import Iterator
from functools import lru_cache
from itertools import combinations

import cv2
import numpy as np
from numpy.typing import NDArray

SPUR = 3  # pixels: thinning leaves spurs at the corners of square line ends
BRIDGE = 7  # pixels: crossings of thick lines become two forks, up to a line width apart
STRAIGHT_ON = 0.76  # cosine of 40°: two branches of a fork that deviate less from a straight line are one stroke
NEAR, FAR = 3, 12  # the direction of a branch is measured between these pixels from its end

Pixel = int  # y times the width, plus x
End = tuple[int, int]  # index of a branch, and 0 for its start or 1 for its end


def skeleton_paths(lines: NDArray[np.uint8]) -> list[NDArray[np.float64]]:
    """Skeletonise a binary image and trace its lines.

    Args:
        lines: uint8 (h, w), 1 on a line, 0 elsewhere and at the border.

    Returns: paths that cover all lines, float64 (n, 2) each, x and y in pixels, in arbitrary direction.
    """
    branches, ends, count = _graph(_thin(lines))
    width = lines.shape[1]
    chains = _chains(branches, _partners(branches, ends, count, width))
    return [np.stack([path % width, path // width], 1).astype(np.float64) for path in map(np.array, chains)]


def _lookup_tables() -> list[NDArray[np.uint8]]:
    """For both passes of the thinning, which neighbourhoods lose their centre pixel (Zhang and Suen 1984)."""
    p = np.arange(256)[:, None] >> np.arange(8) & 1  # neighbours of each code: north, then clockwise
    n, e, s, w = p[:, ::2].T
    count, steps = p.sum(1), (p < np.roll(p, -1, 1)).sum(1)
    edge = (count >= 2) & (count <= 6) & (steps == 1)
    passes = (n * e * s == 0) & (e * s * w == 0), (n * e * w == 0) & (n * s * w == 0)
    return [(edge & sides).astype(np.uint8) for sides in passes]


_TABLES = _lookup_tables()
_NEIGHBOURS = np.array([[128, 1, 2], [64, 0, 4], [32, 16, 8]], np.float32)  # north is bit 0, then clockwise


def _thin(lines: NDArray[np.uint8]) -> NDArray[np.uint8]:
    while True:
        before = int(lines.sum())
        for table in _TABLES:
            codes = cv2.filter2D(lines, cv2.CV_8U, _NEIGHBOURS, borderType=cv2.BORDER_CONSTANT)
            lines = lines & ~table[codes] & 1
        if int(lines.sum()) == before:
            return lines


@lru_cache(maxsize=4)
def _steps(width: int) -> list[list[int]]:
    """For each neighbourhood, the index steps to its ink; a diagonal counts only if no side neighbour leads there."""
    around = [-width, 1 - width, 1, 1 + width, width, width - 1, -1, -1 - width]  # north, then clockwise
    steps = []
    for code in range(256):
        p = [(code >> bit) & 1 for bit in range(8)]
        sides = [around[i] for i in (0, 2, 4, 6) if p[i]]
        corners = [around[i] for i in (1, 3, 5, 7) if p[i] and not p[i - 1] and not p[(i + 1) % 8]]
        steps.append(sides + corners)
    return steps


def _graph(thin: NDArray[np.uint8]) -> tuple[list[list[Pixel]], list[tuple[int, int]], int]:
    """The branches of the skeleton (pixel paths), the two end nodes of each, and the number of nodes."""
    codes = cv2.filter2D(thin, cv2.CV_8U, _NEIGHBOURS, borderType=cv2.BORDER_CONSTANT)
    ink = np.flatnonzero(thin)
    steps = _steps(thin.shape[1])
    neighbours = {
        p: [p + step for step in steps[c]] for p, c in zip(ink.tolist(), codes.flat[ink].tolist(), strict=True)
    }
    node_of: dict[Pixel, int] = {}
    count = 0
    for pixel in neighbours:
        if len(neighbours[pixel]) != 2 and pixel not in node_of:
            count += 1
            waiting = [pixel]
            while waiting:  # adjacent forks are one node
                here = waiting.pop()
                if here not in node_of:
                    node_of[here] = count - 1
                    waiting += [p for p in neighbours[here] if len(neighbours[here]) > 2 and len(neighbours[p]) > 2]
    branches, ends = [], []
    seen: set[Pixel] = set()
    for path in _walk(neighbours, node_of, seen):
        branches.append(path)
        ends.append((node_of.get(path[0], -1), node_of.get(path[-1], -1)))
    for pixel in sorted(neighbours.keys() - seen - node_of.keys()):  # rings without a node are cut at their top left
        if pixel not in seen:
            node_of[pixel] = count
            branches += list(_walk(neighbours, {pixel: count}, seen))
            ends += [(count, count)] * (len(branches) - len(ends))
            count += 1
    return _contract(branches, ends, count)


def _walk(neighbours: dict[Pixel, list[Pixel]], nodes: dict[Pixel, int], seen: set[Pixel]) -> Iterator[list[Pixel]]:
    for start in sorted(nodes):
        if not neighbours[start]:
            yield [start, start]
        for step in neighbours[start]:
            if step in seen or (step in nodes and (nodes[step] == nodes[start] or step < start)):
                continue
            path = [start, step]
            while path[-1] not in nodes:
                seen.add(path[-1])
                onward = [p for p in neighbours[path[-1]] if p != path[-2]]
                if not onward:
                    break
                path.append(onward[0])
            yield path


def _contract(
    branches: list[list[Pixel]], ends: list[tuple[int, int]], count: int
) -> tuple[list[list[Pixel]], list[tuple[int, int]], int]:
    """Remove the spurs of thinning and merge the two forks of each crossing."""
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


def _partners(branches: list[list[Pixel]], ends: list[tuple[int, int]], count: int, width: int) -> dict[End, End]:
    """Pairs of branch ends that continue each other in a straight line."""
    at: list[list[End]] = [[] for _ in range(count)]
    for index, (a, b) in enumerate(ends):
        at[a].append((index, 0))
        at[b].append((index, 1))
    partner: dict[End, End] = {}
    for arms in at:
        headings = [_heading(branches[index], side, width) for index, side in arms]
        pairs = sorted(
            (ax * bx + ay * by, p, q)
            for (p, (ax, ay)), (q, (bx, by)) in combinations(zip(arms, headings, strict=True), 2)
            if p[0] != q[0]
        )
        for cosine, p, q in pairs:
            free = p not in partner and q not in partner
            if len(arms) == 2 or (free and cosine < -STRAIGHT_ON):
                partner[p], partner[q] = q, p
    return partner


def _heading(path: list[Pixel], side: int, width: int) -> tuple[float, float]:
    """Unit vector from an end of a branch inwards; skips the pixels next to the end, which thinning displaces."""
    inward = path if side == 0 else path[::-1]
    near, far = inward[min(NEAR, len(path) - 1)], inward[min(FAR, len(path) - 1)]
    if near == far:
        near = inward[0]
    dx, dy = far % width - near % width, far // width - near // width
    length = math.hypot(dx, dy) or 1.0
    return dx / length, dy / length


def _chains(branches: list[list[Pixel]], partner: dict[End, End]) -> Iterator[list[Pixel]]:
    used: set[int] = set()
    loose = [(i, side) for i in range(len(branches)) for side in (0, 1) if (i, side) not in partner]
    for arm in loose + [(i, 0) for i in range(len(branches))]:  # the remaining chains are closed
        if arm[0] in used:
            continue
        chain: list[Pixel] = []
        step: End | None = arm
        while step is not None and step[0] not in used:
            used.add(step[0])
            chain += branches[step[0]][:: 1 if step[1] == 0 else -1]
            step = partner.get((step[0], 1 - step[1]))
        yield chain
