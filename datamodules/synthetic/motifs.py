"""Motifs of which invented pictographs are composed, in a few pen strokes each.

Each motif fills a square from -1 to 1, x to the right, y down. The motifs share only themes (sky, water, plants,
animals, people, tools) and plain geometry with the Shui script; none is copied from a document.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Path = NDArray[np.float64]  # (n, 2), x and y
Motif = tuple[Path, ...]

STEP = 15.0  # degrees between the points of an arc: the error of a chord is below 1 % of the radius


def line(*numbers: float) -> Path:
    """A polyline through points given as x, y, x, y …."""
    return np.array(numbers, np.float64).reshape(-1, 2)


def arc(x: float, y: float, width: float, height: float, start: float, end: float) -> Path:
    """An arc of an ellipse with this centre and these semi-axes; degrees clockwise from the right."""
    angles = np.radians(np.linspace(start, end, max(3, math.ceil(abs(end - start) / STEP) + 1)))
    return np.stack([x + width * np.cos(angles), y + height * np.sin(angles)], 1)


def ring(x: float = 0.0, y: float = 0.0, radius: float = 1.0, height: float = 0.0) -> Motif:
    """A circle, or an ellipse with semi-axis ``height``, in two strokes from the top, as with a brush."""
    return arc(x, y, radius, height or radius, 270, 90), arc(x, y, radius, height or radius, -90, 90)


def wave(y: float, waves: float = 1.5, height: float = 0.22) -> Path:
    """A horizontal wavy line from -1 to 1."""
    x = np.linspace(-1, 1, 25)
    return np.stack([x, y + height * np.sin((x + 1) * math.pi * waves)], 1)


def spiral(turns: float = 1.9) -> Path:
    """A spiral from the centre outwards."""
    angles = np.linspace(0, 2 * math.pi * turns, round(turns * 20))
    radius = 0.08 + 0.92 * angles / angles[-1]
    return np.stack([radius * np.cos(angles), radius * np.sin(angles)], 1)


def rays(inner: float, outer: float, count: int, first: float = 0.0) -> Motif:
    """Rays around the centre; ``first`` is the angle of the first one in degrees."""
    angles = [math.radians(first + 360 * i / count) for i in range(count)]
    directions = [(math.cos(angle), math.sin(angle)) for angle in angles]
    return tuple(line(inner * x, inner * y, outer * x, outer * y) for x, y in directions)


def rungs(count: int, left: float = -0.5, right: float = 0.5) -> Motif:
    """Horizontal bars, evenly spaced from top to bottom."""
    return tuple(line(left, y, right, y) for y in np.linspace(-1, 1, count + 2)[1:-1].tolist())


def teeth(count: int, top: float = -0.6, bottom: float = 1.0) -> Motif:
    """Vertical lines, evenly spaced from left to right."""
    return tuple(line(x, top, x, bottom) for x in np.linspace(-1, 1, count).tolist())


def dots(*numbers: float) -> Motif:
    """Short slanting strokes at points given as x, y, x, y …."""
    return tuple(line(x - 0.07, y - 0.1, x + 0.07, y + 0.1) for x, y in line(*numbers).tolist())


def shifted(motif: Sequence[Path], x: float, y: float) -> Motif:
    """The motif, moved to the right by x and down by y."""
    return tuple(path + np.array((x, y)) for path in motif)


def mirrored(motif: Sequence[Path]) -> Motif:
    """The motif, mirrored left to right."""
    return tuple(path * (-1, 1) for path in motif)


def inverted(motif: Sequence[Path]) -> Motif:
    """The motif, upside down."""
    return tuple(path * (1, -1) for path in motif)


_RAILS = line(-0.5, -1, -0.5, 1), line(0.5, -1, 0.5, 1)
_BODY = *ring(0, -0.72, 0.28), line(0, -0.44, 0, 0.3)  # a head and a trunk
_LEGS = line(0, 0.3, -0.55, 1), line(0, 0.3, 0.55, 1)
_SQUARE = line(-1, -1, -1, 1), line(-1, -1, 1, -1, 1, 1), line(-1, 1, 1, 1)
_TRIANGLE = line(0, -1, -1, 0.9), line(0, -1, 1, 0.9), line(-1, 0.9, 1, 0.9)
_DIAMOND = line(0, -1, -0.85, 0, 0, 1), line(0, -1, 0.85, 0, 0, 1)

MOTIFS: Mapping[str, Motif] = {
    # sky and land
    "sun": (*ring(), *dots(0, 0)), "rayed sun": (*ring(0, 0, 0.48), *rays(0.65, 1, 8)),
    "crescent": (arc(0, 0, 0.9, 1, 50, 310), arc(0.45, 0, 0.62, 0.8, 70, 290)), "star": rays(0, 1, 5, -90),
    "flare": rays(0.25, 1, 6, 30),
    "rain": (arc(0, -0.2, 1, 0.8, 180, 360), line(-0.6, 0, -0.75, 1), line(0, 0, -0.1, 1), line(0.6, 0, 0.5, 1)),
    "cloud": (arc(-0.5, 0, 0.5, 0.55, 120, 350), arc(0.42, -0.15, 0.58, 0.75, 200, 410), line(-0.75, 0.5, 0.8, 0.5)),
    "mountain": (line(-1, 0.8, -0.55, -0.3, -0.25, 0.25, 0.05, -0.95, 0.4, 0.25, 0.65, -0.3, 1, 0.8),),
    "peak": (line(-1, 0.8, 0, -0.9, 1, 0.8), line(-0.45, 0.8, 0, 0.05, 0.45, 0.8)),
    "water": (wave(-0.65), wave(0), wave(0.65)),
    "stream": (*shifted((wave(0, 2, 0.35)[:, ::-1],), -0.5, 0), *shifted((wave(0, 2, 0.35)[:, ::-1],), 0.5, 0)),
    "field": (*_SQUARE, line(0, -1, 0, 1), line(-1, 0, 1, 0)), "whirl": (spiral(),),
    # plain geometry
    "cross": (line(0, -1, 0, 1), line(-1, 0, 1, 0)),
    "saltire": (line(-0.9, -0.9, 0.9, 0.9), line(0.9, -0.9, -0.9, 0.9)), "ring": ring(),
    "wheel": (*ring(), line(0, -1, 0, 1), line(-1, 0, 1, 0)), "double ring": (*ring(), *ring(0, 0, 0.45)),
    "two rings": (*ring(-0.52, 0, 0.46), *ring(0.52, 0, 0.46)),
    "three rings": (*ring(0, -0.55, 0.42), *ring(-0.55, 0.5, 0.42), *ring(0.55, 0.5, 0.42)), "square": _SQUARE,
    "triangle": _TRIANGLE, "diamond": _DIAMOND, "barred diamond": (*_DIAMOND, line(-0.85, 0, 0.85, 0)),
    "hourglass": (line(-0.8, -1, 0.8, -1), line(-0.8, -1, 0.8, 1), line(0.8, -1, -0.8, 1), line(-0.8, 1, 0.8, 1)),
    "zigzag": (line(-1, 0.5, -0.6, -0.5, -0.2, 0.5, 0.2, -0.5, 0.6, 0.5, 1, -0.5),), "bars": rungs(3, -1, 1),
    "posts": teeth(3, -1),
    "grid": (line(-0.4, -1, -0.4, 1), line(0.4, -1, 0.4, 1), line(-1, -0.4, 1, -0.4),
             line(-1, 0.4, 1, 0.4)),
    "hook": (line(0.3, -1, 0.3, 0.5, 0.1, 0.9, -0.3, 0.95, -0.55, 0.6),),
    "horns": (arc(-0.5, -0.2, 0.5, 0.8, -60, 170)[::-1], arc(0.5, -0.2, 0.5, 0.8, 240, 10), line(0, -0.2, 0, 1)),
    "seven dots": dots(0, 0, -0.7, -0.4, 0.7, -0.4, -0.7, 0.45, 0.7, 0.45, 0, -0.9, 0, 0.9),
    # tools and houses
    "ladder": (*_RAILS, *rungs(3)),
    "tall ladder": (line(-0.35, -1, -0.35, 1), line(0.35, -1, 0.35, 1), *rungs(6, -0.35, 0.35)),
    "comb": (line(-1, -0.6, 1, -0.6), *teeth(5), arc(0, -0.6, 0.5, 0.4, 180, 360)),
    "rake": (line(0, -0.3, 0, 1), line(-0.9, -0.3, 0.9, -0.3), *teeth(4, -1, -0.3)),
    "trident": (line(0, -1, 0, 1), arc(0, -0.9, 0.75, 1, 180, 0)),
    "bow": (arc(-0.5, 0, 1.1, 1, -90, 90), line(-0.5, -1, -0.5, 1), line(-0.9, 0, 1, 0)),
    "arrow": (line(0, -1, 0, 1), line(-0.6, -0.3, 0, -1, 0.6, -0.3), line(-0.4, 0.7, 0, 0.4, 0.4, 0.7)),
    "axe": (line(-0.4, -1, -0.4, 1), line(-0.4, -0.9, 0.7, -1), arc(0.55, -0.5, 0.4, 0.5, -90, 90),
            line(0.7, 0, -0.4, -0.1)),
    "roof": (line(-1, 0, 0, -0.9, 1, 0), line(-0.65, 0, -0.65, 1), line(0.65, 0, 0.65, 1), line(-0.65, 1, 0.65, 1)),
    "gate": (line(-1, -0.7, 1, -0.7), line(-0.6, -0.7, -0.6, 1), line(0.6, -0.7, 0.6, 1), line(-0.6, -0.1, 0.6, -0.1)),
    "flag": (line(-0.6, -1, -0.6, 1), line(-0.6, -0.95, 0.8, -0.6, -0.6, -0.15)),
    "pot": (arc(0, 0.1, 0.9, 0.85, 0, 180), line(-1, 0.1, 1, 0.1), arc(0, 0.1, 0.6, 0.8, 180, 360)),
    "drum": (*ring(0, -0.65, 0.8, 0.3), line(-0.8, -0.65, -0.5, 1), line(0.8, -0.65, 0.5, 1), line(-0.5, 1, 0.5, 1)),
    "boat": (arc(0, 0.1, 1, 0.8, 0, 180), line(0, 0.8, 0, -1), line(0, -0.9, 0.7, -0.1, 0, -0.1)),
    "knot": (arc(-0.45, 0, 0.5, 0.5, 20, 340), arc(0.45, 0, 0.5, 0.5, 200, 520), line(0, -0.9, 0, 0.9)),
    # plants
    "tree": (line(0, -1, 0, 1), line(-0.8, -0.7, 0, -0.1), line(0.8, -0.7, 0, -0.1), line(0, 0.5, -0.6, 1),
             line(0, 0.5, 0.6, 1)),
    "fir": (line(0, -1, 0, 1), line(-0.45, -0.35, 0, -0.9, 0.45, -0.35), line(-0.65, 0.15, 0, -0.4, 0.65, 0.15),
            line(-0.85, 0.7, 0, 0.1, 0.85, 0.7)),
    "grass": (line(0, 1, 0, -0.8), arc(-0.9, 0.9, 0.8, 1.5, -70, 0), arc(0.9, 0.9, 0.8, 1.5, 250, 180)),
    "rice": (line(-0.5, 1, -0.5, -0.5), arc(0.1, -0.4, 0.6, 0.55, 180, 380), *dots(0.2, -0.35, 0.55, 0.3, 0.9, 0.2),
             line(-0.5, 0.5, 0, 0.1)),
    "flower": (*ring(0, -0.45, 0.2), *shifted(rays(0.3, 0.55, 6), 0, -0.45), line(0, 0.1, 0, 1),
               arc(0.4, 0.9, 0.4, 0.5, 180, 270)),
    "leaf": (arc(0.9, 0, 1.5, 1.25, 130, 230), arc(-0.9, 0, 1.5, 1.25, -50, 50), line(0, -0.95, 0, 1)),
    "mushroom": (arc(0, 0, 1, 0.9, 180, 360), line(-1, 0, 1, 0), line(-0.25, 0, -0.2, 1), line(0.25, 0, 0.2, 1)),
    # animals
    "fish": (arc(-0.2, 0.75, 1.1, 1.15, 225, 330), arc(-0.2, -0.75, 1.1, 1.15, 135, 30), line(0.75, -0.2, 1, 0.5),
             line(0.75, 0.2, 1, -0.5), *dots(-0.6, -0.1)),
    "snake": (wave(0, 2, 0.6), *ring(0.9, -0.2, 0.22)),
    "bird": (arc(0, 0, 0.75, 0.5, -20, 190), line(-0.75, -0.1, 0.7, -0.1), line(-0.75, 0, -1, -0.7),
             *ring(0.75, -0.5, 0.24), line(0.95, -0.45, 1.2, -0.35), line(-0.1, 0.5, -0.2, 1),
             line(0.25, 0.45, 0.3, 1)),
    "soaring bird": (arc(-0.5, 0.1, 0.55, 0.65, 190, 345), arc(0.5, 0.1, 0.55, 0.65, 195, 350), line(0, -0.1, 0, 0.9),
                     line(-0.35, 0.95, 0, 0.5, 0.35, 0.95)),
    "ox": (line(-0.8, -0.2, 0.6, -0.2), line(-0.8, -0.2, -0.85, 0.9), line(-0.4, -0.2, -0.4, 0.9),
           line(0.3, -0.2, 0.3, 0.9), line(0.6, -0.2, 0.65, 0.9), *ring(0.85, -0.4, 0.25),
           arc(0.6, -0.85, 0.3, 0.35, 60, 190), arc(1.1, -0.85, 0.3, 0.35, 120, -10), line(-0.8, -0.2, -1.1, 0.3)),
    "ox head": (line(-0.55, -0.3, 0.55, -0.3), line(-0.55, -0.3, 0, 1), line(0.55, -0.3, 0, 1),
                arc(-0.6, -0.8, 0.4, 0.5, 80, 210), arc(0.6, -0.8, 0.4, 0.5, 100, -30)),
    "horse": (arc(0, 0.25, 0.7, 0.5, 180, 360), line(-0.7, 0.2, -0.8, 1), line(0.7, 0.2, 0.75, 1),
              line(0.55, -0.1, 0.8, -0.9, 1.15, -0.55), line(-0.65, 0, -1.1, 0.4), *dots(0.55, -0.75, 0.45, -0.45)),
    "crab": (*ring(0, 0.1, 0.55, 0.4), line(-0.5, 0.3, -1, 0.8), line(0.5, 0.3, 1, 0.8), line(-0.55, 0.05, -1.05, 0.1),
             line(0.55, 0.05, 1.05, 0.1), arc(-0.7, -0.6, 0.3, 0.35, 90, 340), arc(0.7, -0.6, 0.3, 0.35, 90, -160)),
    "insect": (*ring(0, 0, 0.3, 0.6), line(-0.3, 0, -1, 0), line(0.3, 0, 1, 0), line(-0.2, -0.4, -0.8, -0.9),
               line(0.2, -0.4, 0.8, -0.9), line(-0.2, 0.4, -0.8, 0.9), line(0.2, 0.4, 0.8, 0.9)),
    "snail": (*shifted((spiral(1.6) * 0.65,), -0.2, -0.2), line(-0.95, 0.75, 0.75, 0.75, 0.95, 0.2),
              line(0.95, 0.2, 0.75, -0.3)),
    # people
    "person": (*_BODY, *_LEGS, line(-0.7, -0.1, 0.7, -0.1)),
    "caller": (*_BODY, *_LEGS, line(0, -0.1, -0.75, -0.75), line(0, -0.1, 0.75, -0.75)),
    "mourner": (*_BODY, *_LEGS, line(0, -0.25, -0.65, 0.35), line(0, -0.25, 0.65, 0.35)),
    "kneeler": (*_BODY, line(0, 0.3, 0.6, 0.45, 0.2, 1, -0.5, 1), line(0, -0.2, 0.75, 0)),
    "eye": (arc(0, 0.7, 1.2, 1.3, 215, 325), arc(0, -0.7, 1.2, 1.3, 145, 35), *ring(0, 0, 0.28)),
    "hand": (line(0, 0.2, 0, 1), line(-0.7, 0.2, 0.7, 0.2), *teeth(4, -0.9, 0.2)[1:3], line(-0.7, 0.2, -0.85, -0.6),
             line(0.7, 0.2, 0.85, -0.6)),
    "foot": (arc(0, 0.45, 0.55, 0.55, 0, 360), *dots(-0.65, -0.4, -0.25, -0.65, 0.2, -0.65, 0.6, -0.4)),
    "mouth": (arc(0, -0.2, 1, 0.8, 0, 180), line(-1, -0.2, 1, -0.2), line(-0.35, -0.2, -0.35, 0.25),
              line(0.35, -0.2, 0.35, 0.25)),
}  # fmt: skip

FRAMES: Mapping[str, Motif] = {
    "ring": ring(),
    "square": _SQUARE,
    "diamond": tuple(path * 1.35 for path in _DIAMOND),
    "arch": (arc(0, 0, 1, 1, 180, 360), line(-1, 0, -1, 1), line(1, 0, 1, 1)),
    "house": (line(-1.15, -0.5, 0, -1.5, 1.15, -0.5), line(-0.95, -0.5, -0.95, 1), line(0.95, -0.5, 0.95, 1)),
    "bowl": (line(-1.05, -0.6, -0.9, 0.6, 0, 1.1, 0.9, 0.6, 1.05, -0.6),),
}
"""Motifs with space for another one in the centre, half a unit to each side."""
