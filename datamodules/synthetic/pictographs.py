"""Invented pictographs in the manner of the Shui script: motifs composed by chance, each unlike every other.

No scan of real Shui writing may be shipped, so the embedded classes are inventions: what is alike is the kind of
drawing, not the characters.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from datamodules.synthetic.handwriting import draw_plan
from datamodules.synthetic.motifs import FRAMES, MOTIFS, Motif, inverted, line, mirrored, ring
from datamodules.synthetic.strokes import CANVAS, EM, THICKNESS, Strokes, assemble
from datamodules.synthetic.writer import Hand, hand, stream

CLASSES = 400  # shui-ocr, section 4.2
LONGEST = 0.9  # em: longer side of a pictograph, about that of the hanzi that the same hands write
CODE = 0xE000  # first private-use code point: variation is drawn from other numbers than any hanzi's
GRID = 40  # pixels a side of the pictures that distances are measured on
# Measured: at 0.05 so little room is left that 400 are found only among 7,600 compositions, here among 1,150.
# Drawn by synthetic writers, the nearest class mean of 20 samples each finds 37 % of them.
DISTINCT = 0.042  # least distance between two pictographs, share of the side; see ``distance``
_SEED = 2019  # shui-ocr's year; another one invents another script
_MOST = 12  # strokes: compositions of more are not legible at 52 pixels
_ACCENTS: Mapping[str, Motif] = {  # lying in a strip; turned where they stand
    "bar": (line(-1, 0, 1, 0),),
    "two bars": (line(-1, -0.7, 1, -0.7), line(-1, 0.7, 1, 0.7)),
    "three dots": tuple(line(x - 0.12, -0.7, x + 0.12, 0.7) for x in (-0.65, 0, 0.65)),
    "ring": ring(0, 0, 0.27, 1.1),
}

Bits = NDArray[np.bool_]


@dataclass(frozen=True)
class Pictograph:
    """One invented sign.

    Attributes:
        name: of what it is composed; no two are equal.
        code: its number among the private-use code points.
        paths: float64 (n, 2) each, x and y in em, origin at the middle of the box.
    """

    name: str
    code: int
    paths: Motif

    @cached_property
    def plan(self) -> Strokes:
        """Its strokes, for a synthetic writer to write."""
        pixels = [path * EM + CANVAS / 2 for path in self.paths]
        return assemble(pixels, _picture(pixels, CANVAS, max(1, round(THICKNESS * EM))))


@lru_cache(maxsize=1)
def pictographs() -> tuple[Pictograph, ...]:
    """The invented signs, CLASSES of them: plain ones first."""
    chosen: list[Pictograph] = []
    kept = _Kept(CLASSES)
    for name, motif in _compositions():
        paths = _boxed(motif)
        if kept.add_if_distinct(paths):
            chosen.append(Pictograph(name, CODE + len(chosen), paths))
        if len(chosen) == CLASSES:
            break
    return tuple(chosen)


def draw_pictograph(sign: Pictograph, writer: int, seed: int, sample: int = 0) -> NDArray[np.uint8]:
    """A pictograph as a synthetic writer draws it; equal arguments give equal pixels.

    Returns: uint8 (h, w), about the box of the ink, paper 255.
    """
    return draw_plan(sign.plan, _drawing_hand(writer, seed), stream(seed, writer, sign.code, sample))


@lru_cache(maxsize=4096)
def _drawing_hand(writer: int, seed: int) -> Hand:
    """A writer's hand at drawing: neither print to depart from nor a running hand.

    The shares were chosen by eye, on contact sheets, and so that the nearest class mean finds less than half.
    """
    style = hand(writer, seed)
    across, down = style.gather
    return replace(
        style, roof=0.0, swing=0.0, rise=0.5 * style.rise, gather=((1 + across) / 2, (1 + down) / 2),
        joining=0.3 * style.joining, dropping=0.5 * style.dropping, parts=1.1 * style.parts,
        strokes=1.1 * style.strokes,
    )  # fmt: skip


def distance(one: Motif, other: Motif) -> float:
    """How far two drawings are apart: the mean way from the ink of one to the nearest ink of the other.

    Of both directions the longer counts, so that a missing part is seen; a share of the side of the box.
    Source: Dubuisson and Jain: A modified Hausdorff distance for object matching, ICPR 1994.
    """
    (ink, way), (other_ink, other_way) = _measured(one), _measured(other)
    return float(max(other_way[ink].mean(), way[other_ink].mean()))


class _Kept:
    """The drawings chosen so far, ready to be compared with the next one."""

    def __init__(self, most: int) -> None:
        self.count = 0
        self.ways = np.empty((most, GRID * GRID), np.float32)
        self.shares = np.empty((most, GRID * GRID), np.float32)  # ink, divided by its sum

    def add_if_distinct(self, paths: Motif) -> bool:
        ink, way = (array.ravel() for array in _measured(paths))
        share = ink / np.float32(ink.sum())
        there, back = self.ways[: self.count] @ share, self.shares[: self.count] @ way
        if self.count and np.maximum(there, back).min() < DISTINCT:
            return False
        self.ways[self.count], self.shares[self.count] = way, share
        self.count += 1
        return True


def _measured(paths: Motif) -> tuple[Bits, NDArray[np.float32]]:
    """Ink (GRID, GRID), and from every pixel the way to the nearest ink, a share of the side."""
    ink = _picture([(path / LONGEST + 0.5) * (GRID - 4) + 2 for path in paths], GRID, 1)
    way = cv2.distanceTransform(1 - ink, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return ink > 0, (way / GRID).astype(np.float32)


def _picture(paths: Sequence[NDArray[np.float64]], side: int, width: int) -> NDArray[np.uint8]:
    """Paths in pixels as lines of this width, 1 on 0."""
    picture = np.zeros((side, side), np.uint8)
    cv2.polylines(picture, [path.round().astype(np.int32) for path in paths], False, 1, width)
    return picture


def _boxed(motif: Motif) -> Motif:
    """Centred, the longer side LONGEST."""
    points = np.concatenate(motif)
    low, high = points.min(0), points.max(0)
    scale = LONGEST / (high - low).max()
    return tuple((path - (low + high) / 2) * scale for path in motif)


def _compositions() -> Iterator[tuple[str, Motif]]:
    """Endless named drawings: every motif by itself, then turned, then composed by chance."""
    rng = np.random.default_rng(_SEED)
    names = list(MOTIFS)
    yield from ((name, MOTIFS[name]) for name in rng.permutation(names).tolist())
    # Shui writing turns signs over: it is known for characters written upside down or reversed.
    turned = [(f"{name}, upside down", inverted(MOTIFS[name])) for name in names]
    turned += [(f"{name}, reversed", mirrored(MOTIFS[name])) for name in names]
    yield from (turned[index] for index in rng.permutation(len(turned)))
    seen = set()
    layouts = (_over, _beside, _within, _twice, _accented)
    while True:
        layout = layouts[int(rng.choice(len(layouts), p=(0.3, 0.3, 0.18, 0.1, 0.12)))]
        name, motif = layout(rng)
        if name not in seen and len(motif) <= _MOST:
            seen.add(name)
            yield name, motif


def _over(rng: np.random.Generator) -> tuple[str, Motif]:
    (top, upper), (bottom, lower) = _any(rng), _any(rng)
    share = float(rng.choice((0.4, 0.5, 0.6)))
    pair = *_placed(upper, (0, share - 1.05), (0.85, share)), *_placed(lower, (0, share + 0.05), (0.85, 1 - share))
    return f"{top} over {bottom}", pair


def _beside(rng: np.random.Generator) -> tuple[str, Motif]:
    (first, left), (second, right) = _any(rng), _any(rng)
    share = float(rng.choice((0.4, 0.5, 0.6)))
    pair = *_placed(left, (share - 1.05, 0), (share, 0.9)), *_placed(right, (share + 0.05, 0), (1 - share, 0.9))
    return f"{first} beside {second}", pair


def _within(rng: np.random.Generator) -> tuple[str, Motif]:
    inner, motif = _any(rng)
    frame = str(rng.choice(list(FRAMES)))
    return f"{inner} in {frame}", (*FRAMES[frame], *_placed(motif, (0, 0.05), (0.5, 0.5)))


def _twice(rng: np.random.Generator) -> tuple[str, Motif]:
    name, motif = _any(rng)
    flip = bool(rng.random() < 0.5)
    other = mirrored(motif) if flip else motif
    pair = *_placed(motif, (-0.55, 0), (0.45, 0.8)), *_placed(other, (0.55, 0), (0.45, 0.8))
    return f"{name} twice" + (", facing" if flip else ""), pair


def _accented(rng: np.random.Generator) -> tuple[str, Motif]:
    name, motif = _any(rng)
    accent = str(rng.choice(list(_ACCENTS)))
    where = str(rng.choice(("above", "below", "at the side")))
    centre, size = {"above": ((0, -1.45), (0.9, 0.24)), "below": ((0, 1.45), (0.9, 0.24)),
                    "at the side": ((1.45, 0), (0.24, 0.9))}[where]  # fmt: skip
    drawn = _ACCENTS[accent]
    if where == "at the side":
        drawn = tuple(path[:, ::-1] for path in drawn)
    return f"{name} with {accent} {where}", (*motif, *_placed(drawn, centre, size))


def _any(rng: np.random.Generator) -> tuple[str, Motif]:
    names = list(MOTIFS)
    name = names[int(rng.integers(len(names)))]
    return name, MOTIFS[name]


def _placed(motif: Motif, centre: tuple[float, float], half: tuple[float, float]) -> Motif:
    """A motif moved and scaled, each axis by itself."""
    return tuple(path * half + centre for path in motif)
