"""Synthetic handwriting: GB2312 characters as strokes, bent and joined by a writer's hand, drawn with a pen."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from datamodules._gnt import write_gnt
from datamodules._pen import PAPER, Pen, ink
from datamodules._strokes import Strokes, strokes

STYLE_STREAM = 0xFFFFFF  # above every code point: keeps a writer's style apart from the characters' variation
WAVES = 3  # smooth displacement is a sum of so many plane waves
DROPPED = 5  # points: longer strokes are never left out
MARGIN = 6  # native pixels kept free around the strokes while drawing

Random = np.random.Generator
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Hand:
    """A writer's style; angles in radians, lengths in em, all else ratios, unless said otherwise.

    Attributes:
        size: height of the em square, native pixels.
        aspect: width over height.
        rise: how much horizontal lines climb to the right.
        slant: how much vertical lines lean to the right.
        warp: amplitude of the smooth displacement.
        parts: how freely connected parts are scaled, shifted and turned.
        strokes: how freely single strokes are turned, stretched and shifted.
        bend: how much strokes are curved.
        rounding: passes of smoothing, which round the corners.
        joining: share of possible joins that are written through.
        dropping: share of short strokes left out.
        tremor: standard deviation of single points.
        loose: paper left around the ink on each side, a share of the box; 0 where the crop is tight.
        pen: with what.
    """

    size: float
    aspect: float
    rise: float
    slant: float
    warp: float
    parts: float
    strokes: float
    bend: float
    rounding: int
    joining: float
    dropping: float
    tremor: float
    loose: float
    pen: Pen


@lru_cache(maxsize=4096)
def hand(writer: int, seed: int) -> Hand:
    """The style of a synthetic writer, the same for every character."""
    rng = _stream(seed, writer, STYLE_STREAM, 0)
    size = float(np.clip(rng.normal(72, 11), 45, 110))
    return Hand(
        size=size,
        aspect=float(np.exp(rng.normal(-0.15, 0.13))),
        rise=float(rng.normal(0.13, 0.07)),
        slant=float(rng.normal(0.03, 0.10)),
        warp=float(rng.uniform(0.03, 0.075)),
        parts=float(rng.uniform(0.5, 1.4)),
        strokes=float(rng.uniform(0.6, 1.6)),
        bend=float(rng.uniform(0.03, 0.09)),
        rounding=int(rng.integers(0, 5)),
        joining=float(rng.beta(1.2, 2.0)),
        dropping=float(rng.uniform(0, 0.06)),
        tremor=float(rng.uniform(0.001, 0.005)),
        loose=float(max(0.0, rng.uniform(-0.16, 0.16))),
        pen=Pen(
            width=float(np.clip(size * rng.lognormal(math.log(0.047), 0.33), 1.6, 8)),
            contrast=float(rng.uniform(0.1, 0.5)),
            darkness=float(np.clip(rng.normal(198, 17), 150, 240)),
            grain=float(rng.uniform(18, 36)),
            flow=float(rng.uniform(10, 28)),
            blur=float(rng.uniform(0.4, 0.8)),
        ),
    )


def draw(character: str, writer: int, seed: int, sample: int = 0) -> NDArray[np.uint8]:
    """A character as a synthetic writer writes it; equal arguments give equal pixels, whatever else is drawn.

    Returns: uint8 (h, w), the bounding box of the ink at native size, paper 255.

    Raises:
        ValueError: a character that the font cannot draw.
    """
    style = hand(writer, seed)
    rng = _stream(seed, writer, ord(character), sample)
    plan = strokes(character)
    points = _write(plan, style, rng)
    onward, pressure = _run(plan, style, rng)
    points = _round_corners(points, onward, style.rounding)
    points += rng.standard_normal(points.shape, np.float32) * np.float32(style.tremor)
    size = style.size * math.exp(0.06 * rng.standard_normal())
    shape = np.array([size * style.aspect * math.exp(0.07 * rng.standard_normal()), size], np.float32)
    points = points * shape
    points += MARGIN - points.min(0)
    here = np.flatnonzero(onward >= 0)
    image = ink(points[here], points[onward[here]], pressure[here], style.pen, rng)
    return _loosen(image, style.loose, rng) if style.loose else image


def write_synthetic_writer(
    folder: Path, characters: Sequence[str], writer: int, seed: int, samples: int = 1
) -> Path:
    """Write one synthetic writer's characters as a true CASIA .gnt file, ``s0001.gnt`` for writer 1.

    Args:
        folder: where to; it is made if need be.
        characters: which, in this order; each must be in GBK.
        writer, seed: whose hand.
        samples: how often each character is written.

    Returns: the file, complete.
    """

    def records() -> Iterator[tuple[bytes, NDArray[np.uint8]]]:
        for character in characters:
            tag = character.encode("gbk")
            for sample in range(samples):
                yield tag, draw(character, writer, seed, sample)

    path = folder / file_name(writer)
    write_gnt(path, records())
    return path


def file_name(writer: int) -> str:
    """Name of a synthetic writer's file."""
    return f"s{writer:04d}.gnt"


def _stream(seed: int, writer: int, code: int, sample: int) -> Random:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, writer, code, sample))))


def _write(plan: Strokes, style: Hand, rng: Random) -> Floats:
    """The points after single strokes, parts and the whole have each been moved; float32 (n, 2), em."""
    points = _move_strokes(plan, style, rng)
    points = _move_parts(plan, points, style, rng)
    points = _warp(points, style.warp, rng)
    rise = style.rise + 0.045 * rng.standard_normal()
    slant = style.slant + 0.05 * rng.standard_normal()
    return points @ np.array([[1, -rise], [-slant, 1]], np.float32)


def _move_strokes(plan: Strokes, style: Hand, rng: Random) -> Floats:
    count = len(plan.first)
    start, end = plan.points[plan.first], plan.points[plan.last]
    middle, chord = (start + end) / 2, end - start
    length = np.hypot(chord[:, 0], chord[:, 1])
    noise = rng.standard_normal((6, count), np.float32)
    turn = noise[0] * np.float32(style.strokes) * (0.05 + 0.03 / (0.2 + length))
    # Dots, short in print, are written out.
    stretch = np.exp(noise[1] * np.float32(0.10 * style.strokes) - np.float32(0.05)) * (1 + 0.05 * np.exp(-length / 0.1) / 0.1)
    # Steep strokes are drawn out downwards, so that they keep their upper end and reach below.
    reach = np.abs(noise[5]) * np.float32(0.12 * style.strokes) * (chord[:, 1] > 2 * np.abs(chord[:, 0])) * (length > 0.3)
    stretch *= 1 + reach
    shift = noise[2:4].T * np.float32(0.016 * style.strokes) + chord * (reach / 2)[:, None]
    bow = (noise[4] * np.float32(style.bend) + np.float32(0.02)) * length
    cos, sin = np.cos(turn) * stretch, np.sin(turn) * stretch
    owner = plan.stroke
    local = plan.points - middle[owner]
    x, y, c, s = local[:, 0], local[:, 1], cos[owner], sin[owner]
    moved = np.stack([c * x - s * y, s * x + c * y], 1)
    normal = np.stack([-chord[:, 1], chord[:, 0]], 1) / np.maximum(length, 1e-3)[:, None]
    arch = 4 * plan.along * (1 - plan.along) - np.float32(0.6)
    return (moved + (middle + shift)[owner] + (bow[owner] * arch)[:, None] * normal[owner]).astype(np.float32)


def _move_parts(plan: Strokes, points: Floats, style: Hand, rng: Random) -> Floats:
    count = int(plan.part.max()) + 1
    owner = plan.part[plan.stroke]
    members = np.bincount(owner, minlength=count).astype(np.float32)
    centre = np.stack([np.bincount(owner, points[:, i], count) / members for i in (0, 1)], 1).astype(np.float32)
    noise = rng.standard_normal((6, count), np.float32) * np.float32(style.parts)
    turn = 0.06 * noise[0]
    scale = np.exp(0.09 * noise[1:3].T + 0.06 * noise[3][:, None])
    scale[:, 0] /= plan.flatness
    scale[:, 1] *= plan.flatness
    local = (points - centre[owner]) * scale[owner]
    x, y, c, s = local[:, 0], local[:, 1], np.cos(turn)[owner], np.sin(turn)[owner]
    shift = 0.03 * noise[4:6].T + centre
    return np.stack([c * x - s * y, s * x + c * y], 1) + shift[owner]


def _warp(points: Floats, amplitude: float, rng: Random) -> Floats:
    """Displace smoothly by plane waves of one to three em."""
    noise = rng.standard_normal((4, WAVES), np.float32)
    frequency = noise[:2] * np.float32(2.6)
    phase = rng.random(WAVES, np.float32) * np.float32(2 * math.pi)
    waves = np.sin(points @ frequency + phase)
    points = points + waves @ (noise[2:].T * np.float32(amplitude / math.sqrt(WAVES) * 1.4))
    taper = rng.standard_normal(2, np.float32) * np.float32(3 * amplitude)
    return points * (1 + points[:, ::-1] * taper)


def _run(plan: Strokes, style: Hand, rng: Random) -> tuple[NDArray[np.int64], Floats]:
    """Where the pen goes from each point (-1: it is lifted), and with what pressure."""
    count = len(plan.points)
    onward = np.arange(1, count + 1)
    onward[plan.last] = -1
    slope = rng.standard_normal((3, len(plan.first)), np.float32) * np.float32(style.pen.contrast)
    owner, along = plan.stroke, plan.along - np.float32(0.5)
    pressure = 1 + 0.35 * slope[0][owner] + slope[1][owner] * along - np.abs(slope[2])[owner] * (along * along)
    chosen = plan.joins[rng.random(len(plan.joins)) < style.joining]
    onward[chosen[:, 0]] = chosen[:, 1]
    pressure[chosen[:, 0]] *= 0.6
    if len(plan.first) > 4:
        dropped = (rng.random(len(plan.first)) < style.dropping) & (plan.last - plan.first < DROPPED)
        onward[dropped[owner] & (onward == np.arange(1, count + 1))] = -1
    return onward, np.clip(pressure, 0.35, 1.5).astype(np.float32)


def _round_corners(points: Floats, onward: NDArray[np.int64], passes: int) -> Floats:
    """Pull each point towards its neighbours on the pen's way; ends stay."""
    here = np.arange(len(points))
    after = np.where(onward >= 0, onward, here)
    before = here.copy()
    before[after[onward >= 0]] = here[onward >= 0]
    inner = (before != here) & (after != here)
    before, after, middle = before[inner], after[inner], here[inner]
    for _ in range(passes):
        points[middle] = points[middle] * np.float32(0.5) + (points[before] + points[after]) * np.float32(0.25)
    return points


def _loosen(image: NDArray[np.uint8], share: float, rng: Random) -> NDArray[np.uint8]:
    """Leave paper on all sides, each side a little different."""
    height, width = image.shape
    sides = share * (1 + 0.15 * rng.standard_normal(4)) * (height, height, width, width)
    top, bottom, left, right = [max(0, round(side)) for side in sides.tolist()]
    sheet = np.full((top + height + bottom, left + width + right), PAPER, np.uint8)
    sheet[top : top + height, left : left + width] = image
    return sheet
