"""Tiny folders of labelled slices: dark strokes on paper, of different native sizes and modes."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from fake.image_folder import MODES, png, stroke

COUNTS = {"ladder": 8, "sun": 5, "水": 4}


def write_slices(root: Path, counts: Mapping[str, int] = COUNTS, seed: int = 0) -> Path:
    """``root/CLASS/*.png``, so many slices of each class."""
    rng = np.random.default_rng(seed)
    for label, (name, count) in enumerate(counts.items()):
        (root / name).mkdir(parents=True)
        for number in range(count):
            image = png(stroke(label, len(counts), rng), MODES[number % len(MODES)])
            (root / name / f"{number:03}.png").write_bytes(image)
    return root
