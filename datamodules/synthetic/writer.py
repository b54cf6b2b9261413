"""Synthetic writers: how each holds the pen, leans, joins and lays out characters."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from datamodules.synthetic.pen import Pen

STYLE_STREAM = 0xFFFFFF  # above every code point: keeps a writer's style apart from the characters' variation


@dataclass(frozen=True)
class Hand:
    """A writer's style; lengths in em, slopes as tangents, all else ratios, unless said otherwise.

    Attributes:
        size: height of the em square, native pixels.
        aspect: width over height.
        rise: how steeply level lines climb to the right.
        slant: how far upright lines lean to the right.
        warp: amplitude of the smooth displacement.
        gather: exponents, across and down, that draw the middle of a character together; 1 is print.
        roof: exponent by which flat parts grow higher and tall ones shorter than in print; 0 is print.
        swing: exponent by which hooks and drops grow longer than in print; 0 is print.
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
    gather: tuple[float, float]
    roof: float
    swing: float
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
    """The style of a synthetic writer, the same for every character.

    The ranges were set by measuring 10,000 real HWDB characters (box, line width, ink) and by how often real
    characters are recognised from synthetic ones.
    """
    rng = stream(seed, writer, STYLE_STREAM, 0)
    size = float(np.clip(rng.normal(72, 11), 45, 110))
    return Hand(
        size=size,
        aspect=float(np.exp(rng.normal(-0.12, 0.13))),
        rise=float(rng.normal(0.16, 0.07)),
        slant=float(rng.normal(0.03, 0.10)),
        warp=float(rng.uniform(0.03, 0.075)),
        gather=(float(rng.uniform(1.0, 1.5)), float(rng.uniform(0.9, 1.15))),
        roof=float(rng.uniform(0.05, 0.55)),
        swing=float(rng.uniform(0.0, 0.4)),
        parts=float(rng.uniform(0.5, 1.5)),
        strokes=float(rng.uniform(0.6, 1.6)),
        bend=float(rng.uniform(0.03, 0.09)),
        rounding=int(rng.integers(0, 5)),
        joining=float(rng.beta(1.2, 2.0)),
        dropping=float(rng.uniform(0, 0.06)),
        tremor=float(rng.uniform(0.001, 0.005)),
        loose=float(max(0.0, rng.uniform(-0.16, 0.16))),
        pen=_pen(size, rng),
    )


def stream(seed: int, writer: int, code: int, sample: int) -> np.random.Generator:
    """Random numbers of one writer's one sample of one character, whatever else is drawn."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, writer, code, sample))))


def _pen(size: float, rng: np.random.Generator) -> Pen:
    return Pen(
        width=float(np.clip(size * rng.lognormal(math.log(0.047), 0.33), 1.6, 8)),
        contrast=float(rng.uniform(0.1, 0.5)),
        darkness=float(np.clip(rng.normal(198, 17), 150, 240)),
        grain=float(rng.uniform(18, 36)),
        flow=float(rng.uniform(10, 28)),
        blur=float(rng.uniform(0.4, 0.8)),
    )
