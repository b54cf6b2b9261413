"""A row around any small network, without a dataset or training."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from torch import nn

from bench.measurements._row import Row
from datamodules._characters import Characters
from tasks.recogniser import Recogniser, save_weights


def characters(count: int, seed: int = 0) -> Characters:
    """Grey noise of different native sizes."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(40, 90, (count, 2))
    return Characters.pack([rng.integers(0, 256, size, dtype=np.uint8) for size in sizes], [0] * count)


def row(folder: Path, network: nn.Module, size: int = 64, channels: int = 1, **changed: Any) -> Row:
    """A row that a measurement takes; the weights lie in ``folder``."""
    weights = folder / "weights.safetensors"
    save_weights(network, weights)
    fields: dict[str, Any] = {
        "system": "small",
        "architecture": "small",
        "recogniser": Recogniser(network, channels, size),
        "datamodule": SimpleNamespace(val=characters(256)),
        "predictions": None,
        "weights": weights,
        "classes": 10,
        "rounds": 10,
        "seed": 0,
    }
    return Row(**{**fields, **changed})
