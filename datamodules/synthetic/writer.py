"""Synthetic writers: random styles of slant, layout, joined strokes and pen."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from datamodules.synthetic.pen import Pen

STYLE_STREAM = 0xFFFFFF  # above all code points: the style has other random numbers than any character


@dataclass(frozen=True)
class Hand:
    """The style of a writer; lengths in em, slopes as tangents, all else ratios, unless stated otherwise."""

    size: float  # height of the em square, native pixels
    aspect: float  # width over height
    rise: float  # slope of horizontal lines, up to the right
    slant: float  # slope of vertical lines, to the right
    warp: float  # amplitude of the smooth displacement
    gather: tuple[float, float]  # exponents, across and down, that contract the middle of a character; 1 is print
    roof: float  # exponent that makes flat parts taller and tall parts flatter than in print; 0 is print
    swing: float  # exponent that lengthens hooks and drops; 0 is print
    parts: float  # amount of random scaling, shifting and turning of connected parts
    strokes: float  # amount of random turning, stretching and shifting of single strokes
    bend: float  # curvature of strokes
    rounding: int  # number of smoothing passes, which round the corners
    joining: float  # share of possible joins that are written without lifting the pen
    dropping: float  # share of short strokes that are left out
    tremor: float  # standard deviation of single points
    loose: float  # margin of paper on each side, as a share of the box; 0 for a tight crop
    pen: Pen


@lru_cache(maxsize=4096)
def hand(writer: int, seed: int) -> Hand:
    """The style of a synthetic writer, the same for all characters.

    The ranges were fitted to 10,000 real HWDB characters (box, line width, ink), and tuned for accuracy on real
    characters after training on synthetic ones.
    """
    rng = stream(seed, writer, STYLE_STREAM, 0)
    size = float(np.clip(rng.normal(72, 11), 45, 110))
    return Hand(
        size=size, aspect=float(np.exp(rng.normal(-0.12, 0.13))), rise=rng.normal(0.16, 0.07),
        slant=rng.normal(0.03, 0.10), warp=rng.uniform(0.03, 0.075),
        gather=(rng.uniform(1.0, 1.5), rng.uniform(0.9, 1.15)), roof=rng.uniform(0.05, 0.55),
        swing=rng.uniform(0.0, 0.4), parts=rng.uniform(0.5, 1.5), strokes=rng.uniform(0.6, 1.6),
        bend=rng.uniform(0.03, 0.09), rounding=int(rng.integers(0, 5)), joining=rng.beta(1.2, 2.0),
        dropping=rng.uniform(0, 0.06), tremor=rng.uniform(0.001, 0.005), loose=max(0.0, rng.uniform(-0.16, 0.16)),
        pen=_pen(size, rng),
    )  # fmt: skip


def stream(seed: int, writer: int, code: int, sample: int) -> np.random.Generator:
    """A random generator for one sample of one character by one writer, independent of all others."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, writer, code, sample))))


def _pen(size: float, rng: np.random.Generator) -> Pen:
    return Pen(
        width=float(np.clip(size * rng.lognormal(math.log(0.047), 0.33), 1.6, 8)), contrast=rng.uniform(0.1, 0.5),
        darkness=float(np.clip(rng.normal(198, 17), 150, 240)), grain=rng.uniform(18, 36),
        flow=rng.uniform(10, 28), blur=rng.uniform(0.4, 0.8),
    )  # fmt: skip
