"""The thinned lines of a glyph followed pen-wide: from black and white pixels to paths that run straight on."""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

SPUR = 3  # pixels: thinning leaves whiskers at the corners of square line ends
BRIDGE = 7  # pixels: crossings of thick lines thin to two forks up to a line's width apart
STRAIGHT_ON = 0.76  # cosine of 40°: two branches of a fork that differ less from a straight line are one stroke

Pixel = tuple[int, int]


def skeleton_paths(lines: NDArray[np.uint8]) -> list[NDArray[np.float64]]:
    """Thin black and white line work and follow it through its forks.

    Args:
        lines: uint8 (h, w), 1 on a line, 0 elsewhere; nothing at the border.

    Returns: float64 (n, 2) each, x and y in pixels, in no particular direction; together they hold every line.
    """
    branches, ends, count = _graph(_thin(lines))
    return list(_chains(branches, _partners(branches, ends, count)))


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


def _partners(
    branches: list[list[Pixel]], ends: list[tuple[int, int]], count: int
) -> dict[tuple[int, int], tuple[int, int]]:
    """Which branch ends run straight on into each other; an end is (branch, 0 or 1)."""
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
            free = p not in partner and q not in partner
            if len(arms) == 2 or (free and cosine < -STRAIGHT_ON):
                partner[p], partner[q] = q, p
    return partner


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
