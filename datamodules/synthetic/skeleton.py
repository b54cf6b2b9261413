"""The thinned lines of a glyph followed pen-wide: from black and white pixels to paths that run straight on."""

import math
from collections.abc import Iterator
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

SPUR = 3  # pixels: thinning leaves whiskers at the corners of square line ends
BRIDGE = 7  # pixels: crossings of thick lines thin to two forks up to a line's width apart
STRAIGHT_ON = 0.76  # cosine of 40°: two branches of a fork that differ less from a straight line are one stroke
NEAR, FAR = 3, 12  # pixels into a branch between which its direction is taken

Pixel = int  # y times the width, plus x
End = tuple[int, int]  # a branch, and 0 where it starts or 1 where it ends


def skeleton_paths(lines: NDArray[np.uint8]) -> list[NDArray[np.float64]]:
    """Thin black and white line work and follow it through its forks.

    Args:
        lines: uint8 (h, w), 1 on a line, 0 elsewhere; nothing at the border.

    Returns: float64 (n, 2) each, x and y in pixels, in no particular direction; together they hold every line.
    """
    branches, ends, count = _graph(_thin(lines))
    width = lines.shape[1]
    chains = _chains(branches, _partners(branches, ends, count, width))
    return [np.stack([path % width, path // width], 1).astype(np.float64) for path in map(np.array, chains)]


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
    """For each neighbourhood, how far on its ink lies; a corner counts only where no side leads to it."""
    around = [-width, 1 - width, 1, 1 + width, width, width - 1, -1, -1 - width]  # north, then clockwise
    steps = []
    for code in range(256):
        p = [(code >> bit) & 1 for bit in range(8)]
        sides = [around[i] for i in (0, 2, 4, 6) if p[i]]
        corners = [around[i] for i in (1, 3, 5, 7) if p[i] and not p[i - 1] and not p[(i + 1) % 8]]
        steps.append(sides + corners)
    return steps


def _graph(thin: NDArray[np.uint8]) -> tuple[list[list[Pixel]], list[tuple[int, int]], int]:
    """Branches of the thinned glyph (pixel paths), the two nodes that each ends at, and the number of nodes."""
    codes = cv2.filter2D(thin, cv2.CV_8U, _NEIGHBOURS, borderType=cv2.BORDER_CONSTANT)
    ink = np.flatnonzero(thin)
    steps = _steps(thin.shape[1])
    beside = {p: [p + step for step in steps[c]] for p, c in zip(ink.tolist(), codes.flat[ink].tolist(), strict=True)}
    node_of: dict[Pixel, int] = {}
    count = 0
    for pixel in beside:
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
    for pixel in sorted(beside.keys() - seen - node_of.keys()):  # rings without a node; they open at their top left
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


def _partners(branches: list[list[Pixel]], ends: list[tuple[int, int]], count: int, width: int) -> dict[End, End]:
    """Which branch ends run straight on into each other."""
    at: list[list[End]] = [[] for _ in range(count)]
    for index, (a, b) in enumerate(ends):
        at[a].append((index, 0))
        at[b].append((index, 1))
    partner: dict[End, End] = {}
    for arms in at:
        headings = [_heading(branches[index], side, width) for index, side in arms]
        pairs = sorted(
            (ax * bx + ay * by, p, q)
            for i, (p, (ax, ay)) in enumerate(zip(arms, headings, strict=True))
            for q, (bx, by) in zip(arms[i + 1 :], headings[i + 1 :], strict=True)
            if p[0] != q[0]
        )
        for cosine, p, q in pairs:
            free = p not in partner and q not in partner
            if len(arms) == 2 or (free and cosine < -STRAIGHT_ON):
                partner[p], partner[q] = q, p
    return partner


def _heading(path: list[Pixel], side: int, width: int) -> tuple[float, float]:
    """Unit vector from an end of a branch into it; thinning has displaced the pixels next to the end."""
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
    for arm in loose + [(i, 0) for i in range(len(branches))]:  # what is left over closes on itself
        if arm[0] in used:
            continue
        chain: list[Pixel] = []
        step: End | None = arm
        while step is not None and step[0] not in used:
            used.add(step[0])
            chain += branches[step[0]][:: 1 if step[1] == 0 else -1]
            step = partner.get((step[0], 1 - step[1]))
        yield chain
