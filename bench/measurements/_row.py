"""What a measurement is given: one trained system and the data it is measured on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.records.predictions import Predictions
from datamodules._base import CharacterDataModule
from tasks.recogniser import Recogniser

# Sizes of characters differ, and with them the cost of their resizing: the median of fewer says little.
LEAST_CHARACTERS = 16


@dataclass(frozen=True)
class Row:
    """One system after training, ready to be measured.

    Attributes:
        system: its full name.
        architecture: ``name`` or ``name:variant``.
        recogniser: the trained network with its preprocessing, on the CPU, in eval mode.
        datamodule: what it was trained on; measurements other than accuracy use its validation part.
        predictions: answers on the test split; None where only cost is asked (``bench profile``).
        weights: the file of the network, safetensors or packed.
        classes: size of the label space.
        rounds: timing rounds that the scale asks for.
        launches: measuring processes that each take so many rounds; their times are joined.
        seed: of the run.
        measured: the row's figures so far, as its record states them.
        accelerator: what it was trained on, and whole test parts are read on.
        trained: whether the weights are trained; what random ones answer means nothing.
    """

    system: str
    architecture: str
    recogniser: Recogniser
    datamodule: CharacterDataModule
    predictions: Predictions | None
    weights: Path
    classes: int
    rounds: int
    seed: int
    measured: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    accelerator: str = "cpu"
    trained: bool = True
    launches: int = 1

    def characters(self, most: int = 256) -> list[NDArray[np.uint8]]:
        """Validation characters at their native size, uint8 (h, w) each, evenly spread over the split.

        Returns: ``most`` of them, or all where there are fewer; the same one never twice.

        Raises:
            ValueError: fewer than LEAST_CHARACTERS.
        """
        split = self.datamodule.val
        if len(split) < LEAST_CHARACTERS:
            raise ValueError(f"wanted {LEAST_CHARACTERS} validation characters or more, the split has {len(split)}")
        picks = np.linspace(0, len(split) - 1, min(most, len(split))).astype(int)
        return [split.image(int(i)) for i in picks]
