"""Drawing rate of synthetic characters on one core, against the rate that embedded data need."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.comparisons._paired import median_ratio
from bench.comparisons._pipeline import one_thread
from bench.records.record import Measurement
from datamodules.readers.gb2312 import LEVEL1
from datamodules.synthetic.handwriting import write_synthetic_writer
from datamodules.synthetic.pictographs import draw_pictograph, pictographs

GOAL = "at most 1: 1,000 samples a second on one core"
LIMIT = 1.0
VERSION = "1"
WANTED = 1_000  # samples per second
CHARACTERS = [LEVEL1[i] for i in np.linspace(0, len(LEVEL1) - 1, 200).astype(int)]
SAMPLES = 5  # of each character by each writer
ROUNDS = 9  # writers


def compare() -> Measurement:
    """The wanted samples per second over the measured ones, for the slower of two kinds; median over writers.

    Handwriting is drawn and written to ``.gnt`` files; pictographs are drawn only. CPU time. The strokes of each
    character are prepared before the timing, so the first pass over a new character set is slower.
    """
    signs = pictographs()
    with tempfile.TemporaryDirectory() as folder, one_thread():

        def hanzi(writer: int) -> int:
            write_synthetic_writer(Path(folder), CHARACTERS, writer, 0, samples=SAMPLES)
            return SAMPLES * len(CHARACTERS)

        def shui(writer: int) -> int:
            for sign in signs:
                draw_pictograph(sign, writer, 0)
            return len(signs)

        rates = {name: _rates(draw) for name, draw in (("synthetic_hwdb", hanzi), ("synthetic_shui", shui))}
    slower = min(rates, key=lambda name: float(np.median(rates[name])))
    medians = {f"{name}_per_second": float(np.median(measured)) for name, measured in rates.items()}
    return median_ratio(WANTED / rates[slower], **medians)


def _rates(draw: Callable[[int], int]) -> NDArray[np.float64]:
    draw(0)
    rates = []
    for writer in range(1, ROUNDS + 1):
        started = time.process_time()
        rates.append(draw(writer) / (time.process_time() - started))
    return np.array(rates)
