"""Draws synthetic handwriting: strokes of GB2312 characters, deformed in a writer's style, drawn with a pen."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from datamodules.readers.gnt import write_gnt
from datamodules.synthetic.glyphs import BUILT_IN, Glyphs
from datamodules.synthetic.pen import PAPER, Floats, ink
from datamodules.synthetic.strokes import Strokes
from datamodules.synthetic.writer import Hand, hand, stream

# Tuned for accuracy on real characters after training on synthetic ones, unless stated otherwise.
# Standard deviations are those of a Hand whose ``strokes`` or ``parts`` is 1.
STROKE_SHIFT = 0.022  # em, standard deviation
STROKE_STRETCH = 0.10  # standard deviation, as a share of the length
SHORTER = 0.95  # length of handwritten strokes as a share of print; real lines are a tenth shorter in total
DOT_GROWTH = 0.6  # dots, which are short in print, become longer ...
DOT = 0.12  # ... if they are about this short, em
OWN_RISE = 0.4  # share of the rise that shears each stroke separately; the remainder shears the whole character
PART_SCALE = 0.10  # standard deviation of the logarithm
PART_SHIFT = 0.037  # em, standard deviation
PART_TURN = 0.06  # radians, standard deviation
TAPER = (0.1, 0.19)  # people write the bottom wider than the top, and the right side taller than the left
DOWNWARD = 0.08  # extension of vertical strokes at the lower end, as a share of their length
WAVES = 3  # number of plane waves in the smooth displacement
WAVE_NUMBER = 2.6  # radians per em, standard deviation: wavelengths of about two em
DROPPED = 5  # points; strokes of more points are never dropped
MARGIN = 6  # blank native pixels around the strokes while drawing

Random = np.random.Generator


def draw(character: str, writer: int, seed: int, sample: int = 0, glyphs: Glyphs = BUILT_IN) -> NDArray[np.uint8]:
    """Draw a character in the style of a synthetic writer; the pixels depend only on the arguments.

    Returns: uint8 (h, w), the bounding box of the ink at native size, paper 255; some writers add a margin.

    Raises:
        ValueError: no font has such a character.
    """
    plan = glyphs.plan(character, writer, seed)
    return draw_plan(plan, hand(writer, seed), stream(seed, writer, ord(character), sample))


def draw_plan(plan: Strokes, style: Hand, rng: Random) -> NDArray[np.uint8]:
    """Draw strokes in a writer's style, as ``draw`` does; ``rng`` makes the variation of this sample."""
    points = _lay_out(plan, style, rng)
    onward, pressure = _pen_path(plan, style, rng)
    points = _round_corners(points, onward, style.rounding)
    points += rng.standard_normal(points.shape, np.float32) * np.float32(style.tremor)
    size = style.size * math.exp(0.06 * rng.standard_normal())
    width = size * style.aspect * math.exp(0.07 * rng.standard_normal())
    points *= np.array([width, size], np.float32)
    points += MARGIN - points.min(0)
    starts = np.flatnonzero(onward >= 0)
    image = ink(points[starts], points[onward[starts]], pressure[starts], style.pen, rng)
    return _add_margin(image, style.loose, rng) if style.loose else image


def file_name(writer: int) -> str:
    """File name of a synthetic writer."""
    return f"s{writer:04d}.gnt"


def write_synthetic_writer(
    folder: Path, characters: Sequence[str], writer: int, seed: int, samples: int = 1, glyphs: Glyphs = BUILT_IN
) -> Path:
    """Write the characters of one synthetic writer as a CASIA .gnt file, such as ``s0001.gnt`` for writer 1.

    Args:
        folder: created if it does not exist.
        characters: in this order; each must be in GBK.
        writer: number of the writer.
        seed: of the whole set of writers.
        samples: number of samples of each character.
        glyphs: the sources that the writers follow.
    """
    path = folder / file_name(writer)
    pairs = ((character, sample) for character in characters for sample in range(samples))
    write_gnt(
        path, ((character.encode("gbk"), draw(character, writer, seed, sample, glyphs)) for character, sample in pairs)
    )
    return path


def _lay_out(plan: Strokes, style: Hand, rng: Random) -> Floats:
    """Deform strokes, parts and the whole character; returns the points, float32 (n, 2), em."""
    points = _move_parts(plan, _move_strokes(plan, style, rng), style, rng)
    half = np.abs(points).max(0) + np.float32(1e-3)
    points = np.sign(points) * half * (np.abs(points) / half) ** np.array(style.gather, np.float32)
    points = _warp(points, style.warp, rng)
    rise = (1 - OWN_RISE) * style.rise + 0.045 * rng.standard_normal()
    slant = style.slant + 0.05 * rng.standard_normal()
    sheared: Floats = points @ np.array([[1, -rise], [-slant, 1]], np.float32)
    return sheared


def _move_strokes(plan: Strokes, style: Hand, rng: Random) -> Floats:
    start, end = plan.points[plan.first], plan.points[plan.last]
    middle, chord = (start + end) / 2, end - start
    length = np.hypot(chord[:, 0], chord[:, 1])
    noise = rng.standard_normal((6, len(length)), np.float32)
    turn = noise[0] * np.float32(style.strokes) * (0.03 + 0.018 / (0.2 + length))  # short strokes turn more
    stretch = SHORTER * np.exp(noise[1] * np.float32(STROKE_STRETCH * style.strokes))
    stretch *= 1 + DOT_GROWTH * np.exp(-length / DOT)
    vertical = (chord[:, 1] > 2 * np.abs(chord[:, 0])) & (length > 0.3)
    below = np.abs(noise[5]) * np.float32(DOWNWARD * style.strokes) * vertical
    shift = noise[2:4].T * np.float32(STROKE_SHIFT * style.strokes) + chord * (below / 2)[:, None]
    cos, sin = np.cos(turn) * stretch * (1 + below), np.sin(turn) * stretch * (1 + below)
    owner = plan.stroke
    local = (plan.points - middle[owner]) * (plan.slimness ** np.float32(style.swing))[owner]
    x, y, c, s = local[:, 0], local[:, 1], cos[owner], sin[owner]
    moved = np.stack([c * x - s * y, s * x + c * y - np.float32(OWN_RISE * style.rise) * x], 1)
    normal = np.stack([-chord[:, 1], chord[:, 0]], 1) * (noise[4] * np.float32(style.bend))[:, None]
    arch = 4 * plan.along * (1 - plan.along) - np.float32(0.6)  # a parabola, minus its mean
    bent: Floats = moved + (middle + shift)[owner] + arch[:, None] * normal[owner]
    return bent.astype(np.float32)


def _move_parts(plan: Strokes, points: Floats, style: Hand, rng: Random) -> Floats:
    count = len(plan.flatness)
    owner = plan.part[plan.stroke]
    members = np.bincount(owner, minlength=count)
    centre = np.stack([np.bincount(owner, points[:, i], count) / members for i in (0, 1)], 1).astype(np.float32)
    noise = rng.standard_normal((6, count), np.float32) * np.float32(style.parts)
    scale = np.exp(PART_SCALE * noise[1:3].T + 0.6 * PART_SCALE * noise[3][:, None])
    scale[:, 1] *= plan.flatness ** np.float32(style.roof)
    local = (points - centre[owner]) * scale[owner]
    turn = PART_TURN * noise[0]
    x, y, c, s = local[:, 0], local[:, 1], np.cos(turn)[owner], np.sin(turn)[owner]
    shift = PART_SHIFT * noise[4:6].T + centre
    moved: Floats = np.stack([c * x - s * y, s * x + c * y], 1) + shift[owner]
    return moved


def _warp(points: Floats, amplitude: float, rng: Random) -> Floats:
    """Displace the points by smooth plane waves, then taper."""
    noise = rng.standard_normal((4, WAVES), np.float32)
    phase = rng.random(WAVES, np.float32) * np.float32(2 * math.pi)
    waves = np.sin(points @ (noise[:2] * np.float32(WAVE_NUMBER)) + phase)
    # The mean square of a wave is 1/2, so that the standard deviation of the displacement is the amplitude.
    points = points + waves @ (noise[2:].T * np.float32(amplitude * math.sqrt(2 / WAVES)))
    taper = rng.standard_normal(2, np.float32) * np.float32(3 * amplitude) + np.array(TAPER, np.float32)
    tapered: Floats = points * (1 + points[:, ::-1] * taper)
    return tapered


def _pen_path(plan: Strokes, style: Hand, rng: Random) -> tuple[NDArray[np.int64], Floats]:
    """For each point, the index of the next point on the pen's path (-1: pen up), and the pressure."""
    following = np.arange(1, len(plan.points) + 1)
    onward = following.copy()
    onward[plan.last] = -1
    slope = rng.standard_normal((3, len(plan.first)), np.float32) * np.float32(style.pen.contrast)
    owner, along = plan.stroke, plan.along - np.float32(0.5)
    pressure = 1 + 0.35 * slope[0][owner] + slope[1][owner] * along - np.abs(slope[2])[owner] * (along * along)
    chosen = plan.joins[rng.random(len(plan.joins)) < style.joining]
    onward[chosen[:, 0]] = chosen[:, 1]
    pressure[chosen[:, 0]] *= 0.6  # lower pressure between strokes
    if len(plan.first) > 4:  # characters of few strokes need them all
        dropped = (rng.random(len(plan.first)) < style.dropping) & (plan.last - plan.first < DROPPED)
        onward[dropped[owner] & (onward == following)] = -1
    return onward, np.clip(pressure, 0.35, 1.5).astype(np.float32)


def _round_corners(points: Floats, onward: NDArray[np.int64], passes: int) -> Floats:
    """Smooth each point with its neighbours on the pen's path; end points stay."""
    indices = np.arange(len(points))
    after = np.where(onward >= 0, onward, indices)
    before = indices.copy()
    before[after[onward >= 0]] = indices[onward >= 0]
    inner = (before != indices) & (after != indices)
    before, after, middle = before[inner], after[inner], indices[inner]
    for _ in range(passes):
        points[middle] = points[middle] * np.float32(0.5) + (points[before] + points[after]) * np.float32(0.25)
    return points


def _add_margin(image: NDArray[np.uint8], share: float, rng: Random) -> NDArray[np.uint8]:
    """Add a slightly different margin of paper on each side."""
    height, width = image.shape
    sides = share * (1 + 0.15 * rng.standard_normal(4)) * (height, height, width, width)
    top, bottom, left, right = [max(0, round(side)) for side in sides.tolist()]
    return np.pad(image, ((top, bottom), (left, right)), constant_values=PAPER)
