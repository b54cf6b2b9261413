"""Invented pictographs in the style of the Shui script: random compositions of motifs, all distinct.

Scans of real Shui writing may not be distributed, so the embedded classes are invented: they resemble the script in
style, not in its characters.
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
LONGEST = 0.9  # em: longer side of a pictograph, similar to hanzi by the same synthetic writers
CODE = 0xE000  # first private-use code point: pictographs have other random numbers than any hanzi
GRID = 40  # side in pixels of the images on which distances are measured
# Measured: 400 distinct pictographs need 1,150 compositions at 0.042, but 7,600 at 0.05. Drawn by synthetic writers,
# 37 % are classified correctly by the nearest class mean of 20 samples each.
DISTINCT = 0.042  # smallest distance between two pictographs, as a share of the side; see ``distance``
_SEED = 2019  # year of shui-ocr; another seed gives another script
_MOST = 12  # strokes; compositions of more are not legible at 52 pixels
_ACCENTS: Mapping[str, Motif] = {  # for a horizontal strip; transposed at the side
    "bar": (line(-1, 0, 1, 0),),
    "two bars": (line(-1, -0.7, 1, -0.7), line(-1, 0.7, 1, 0.7)),
    "three dots": tuple(line(x - 0.12, -0.7, x + 0.12, 0.7) for x in (-0.65, 0, 0.65)),
    "ring": ring(0, 0, 0.27, 1.1),
}


@dataclass(frozen=True)
class Pictograph:
    """One invented sign."""

    name: str  # its composition; unique
    code: int  # a private-use code point
    paths: Motif  # float64 (n, 2) each: x and y in em, origin at the box centre

    @cached_property
    def plan(self) -> Strokes:
        """Its strokes, for ``draw_plan``."""
        pixels = [path * EM + CANVAS / 2 for path in self.paths]
        return assemble(pixels, _render(pixels, CANVAS, max(1, round(THICKNESS * EM))))


@lru_cache(maxsize=1)
def pictographs() -> tuple[Pictograph, ...]:
    """All CLASSES invented signs, single motifs first."""
    chosen: list[Pictograph] = []
    drawings = _Drawings(CLASSES)
    for name, motif in _compositions():
        paths = _normalised(motif)
        if drawings.add_if_distinct(paths):
            chosen.append(Pictograph(name, CODE + len(chosen), paths))
        if len(chosen) == CLASSES:
            break
    return tuple(chosen)


def draw_pictograph(sign: Pictograph, writer: int, seed: int, sample: int = 0) -> NDArray[np.uint8]:
    """Draw a pictograph in the style of a synthetic writer: uint8 (h, w), paper 255; see ``draw``."""
    return draw_plan(sign.plan, _drawing_hand(writer, seed), stream(seed, writer, sign.code, sample))


@lru_cache(maxsize=4096)
def _drawing_hand(writer: int, seed: int) -> Hand:
    """The style of a writer for drawings: less deformation and fewer joins than in handwriting.

    The factors were chosen by eye on contact sheets, and so that the nearest class mean classifies less than half.
    """
    style = hand(writer, seed)
    across, down = style.gather
    return replace(
        style, roof=0.0, swing=0.0, rise=0.5 * style.rise, gather=((1 + across) / 2, (1 + down) / 2),
        joining=0.3 * style.joining, dropping=0.5 * style.dropping, parts=1.1 * style.parts,
        strokes=1.1 * style.strokes,
    )  # fmt: skip


def distance(one: Motif, other: Motif) -> float:
    """Distance of two drawings: the mean distance from the ink of one to the nearest ink of the other.

    The larger of both directions counts, so that a missing part matters; a share of the side of the box.
    Source: Dubuisson and Jain: A modified Hausdorff distance for object matching, ICPR 1994.
    """
    (ink, to_ink), (other_ink, to_other) = _ink_and_distance(one), _ink_and_distance(other)
    return float(max(to_other[ink].mean(), to_ink[other_ink].mean()))


class _Drawings:
    """The drawings chosen so far, in arrays for a fast comparison with the next one."""

    def __init__(self, most: int) -> None:
        self.count = 0
        self.distances = np.empty((most, GRID * GRID), np.float32)
        self.shares = np.empty((most, GRID * GRID), np.float32)  # ink, divided by its sum

    def add_if_distinct(self, paths: Motif) -> bool:
        ink, distances = (array.ravel() for array in _ink_and_distance(paths))
        share = ink / np.float32(ink.sum())
        forward, backward = self.distances[: self.count] @ share, self.shares[: self.count] @ distances
        if self.count and np.maximum(forward, backward).min() < DISTINCT:
            return False
        self.distances[self.count], self.shares[self.count] = distances, share
        self.count += 1
        return True


def _ink_and_distance(paths: Motif) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
    """Ink (GRID, GRID), and the distance of each pixel to the nearest ink as a share of the side."""
    ink = _render([(path / LONGEST + 0.5) * (GRID - 4) + 2 for path in paths], GRID, 1)
    distances = cv2.distanceTransform(1 - ink, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return ink > 0, (distances / GRID).astype(np.float32)


def _render(paths: Sequence[NDArray[np.float64]], side: int, width: int) -> NDArray[np.uint8]:
    """Paths in pixels, drawn as lines of this width: 1 on 0."""
    image = np.zeros((side, side), np.uint8)
    cv2.polylines(image, [path.round().astype(np.int32) for path in paths], False, 1, width)
    return image


def _normalised(motif: Motif) -> Motif:
    """Centre the motif and scale its longer side to LONGEST."""
    points = np.concatenate(motif)
    low, high = points.min(0), points.max(0)
    scale = LONGEST / (high - low).max()
    return tuple((path - (low + high) / 2) * scale for path in motif)


def _compositions() -> Iterator[tuple[str, Motif]]:
    """Infinite named drawings: all motifs, then all inverted and mirrored ones, then random compositions."""
    rng = np.random.default_rng(_SEED)
    names = list(MOTIFS)
    yield from ((name, MOTIFS[name]) for name in rng.permutation(names).tolist())
    # Shui writing is known for characters that are upside down or mirrored.
    turned = [(f"{name}, upside down", inverted(MOTIFS[name])) for name in names]
    turned += [(f"{name}, reversed", mirrored(MOTIFS[name])) for name in names]
    yield from (turned[index] for index in rng.permutation(len(turned)))
    seen = set()
    layouts = (_over, _side_by_side, _within, _twice, _accented)
    while True:
        layout = layouts[int(rng.choice(len(layouts), p=(0.3, 0.3, 0.18, 0.1, 0.12)))]
        name, motif = layout(rng)
        if name not in seen and len(motif) <= _MOST:
            seen.add(name)
            yield name, motif


def _over(rng: np.random.Generator) -> tuple[str, Motif]:
    (top, upper), (bottom, lower) = _random_motif(rng), _random_motif(rng)
    share = float(rng.choice((0.4, 0.5, 0.6)))
    pair = *_placed(upper, (0, share - 1.05), (0.85, share)), *_placed(lower, (0, share + 0.05), (0.85, 1 - share))
    return f"{top} over {bottom}", pair


def _side_by_side(rng: np.random.Generator) -> tuple[str, Motif]:
    (first, left), (second, right) = _random_motif(rng), _random_motif(rng)
    share = float(rng.choice((0.4, 0.5, 0.6)))
    pair = *_placed(left, (share - 1.05, 0), (share, 0.9)), *_placed(right, (share + 0.05, 0), (1 - share, 0.9))
    return f"{first} beside {second}", pair


def _within(rng: np.random.Generator) -> tuple[str, Motif]:
    inner, motif = _random_motif(rng)
    frame = str(rng.choice(list(FRAMES)))
    return f"{inner} in {frame}", (*FRAMES[frame], *_placed(motif, (0, 0.05), (0.5, 0.5)))


def _twice(rng: np.random.Generator) -> tuple[str, Motif]:
    name, motif = _random_motif(rng)
    flip = bool(rng.random() < 0.5)
    other = mirrored(motif) if flip else motif
    pair = *_placed(motif, (-0.55, 0), (0.45, 0.8)), *_placed(other, (0.55, 0), (0.45, 0.8))
    return f"{name} twice" + (", facing" if flip else ""), pair


def _accented(rng: np.random.Generator) -> tuple[str, Motif]:
    name, motif = _random_motif(rng)
    accent = str(rng.choice(list(_ACCENTS)))
    where = str(rng.choice(("above", "below", "at the side")))
    centre, size = {"above": ((0, -1.45), (0.9, 0.24)), "below": ((0, 1.45), (0.9, 0.24)),
                    "at the side": ((1.45, 0), (0.24, 0.9))}[where]  # fmt: skip
    strokes = _ACCENTS[accent]
    if where == "at the side":
        strokes = tuple(path[:, ::-1] for path in strokes)
    return f"{name} with {accent} {where}", (*motif, *_placed(strokes, centre, size))


def _random_motif(rng: np.random.Generator) -> tuple[str, Motif]:
    return list(MOTIFS.items())[int(rng.integers(len(MOTIFS)))]


def _placed(motif: Motif, centre: tuple[float, float], half: tuple[float, float]) -> Motif:
    """Scale a motif to these half sizes and move its centre."""
    return tuple(path * half + centre for path in motif)
