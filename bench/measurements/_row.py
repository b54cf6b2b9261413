"""Row: one trained system and its data, as every measurement takes it."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.utils.data import DataLoader

from bench.records.predictions import Predictions
from datamodules._base import CharacterDataModule
from datamodules._characters import Characters
from datamodules._loader import Batch, BatchDataset, View, make_loader
from tasks.recogniser import Recogniser

# Characters differ in size, and therefore in the cost of their resize: a median over fewer is not reliable.
LEAST_CHARACTERS = 16
_BATCH = 64  # no figure depends on it: networks are in eval mode


@dataclass(frozen=True)
class Row:
    """One trained system, ready to be measured."""

    system: str  # full name
    architecture: str  # ``name`` or ``name:variant``
    recogniser: Recogniser  # on the CPU, in eval mode
    datamodule: CharacterDataModule  # measurements other than accuracy use the validation split
    predictions: Predictions | None  # on the test split; None if only costs are measured (``bench profile``)
    weights: Path  # safetensors or packed
    classes: int
    rounds: int  # timing rounds of the scale, in each measuring process
    seed: int  # of the run
    measured: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # figures so far, as the record states them
    accelerator: str = "cpu"  # of the training; whole splits are evaluated on it too
    trained: bool = True  # the answers of random weights mean nothing
    launches: int = 1  # measuring processes that repeat the timing; their times are aggregated
    # For exported files: entries of the record so far, and class names; without names, classes are numbered.
    record: Mapping[str, Any] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    # Convolutions of each stage that int8 leaves in fp32, by runtime; chosen by the row's own answers if absent.
    in_fp32: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def characters(self, most: int = 256) -> list[NDArray[np.uint8]]:
        """Validation characters at native size, uint8 (h, w), evenly spread: ``most``, or all if there are fewer.

        Raises:
            ValueError: fewer than LEAST_CHARACTERS.
        """
        split = self.datamodule.val
        if len(split) < LEAST_CHARACTERS:
            raise ValueError(f"wanted {LEAST_CHARACTERS} validation characters or more, the split has {len(split)}")
        picks = np.linspace(0, len(split) - 1, min(most, len(split))).astype(int)
        return [split.image(int(i)) for i in picks]

    def network_on_device(self) -> tuple[nn.Module, str]:
        """The network and its device: a copy on the GPU if the row was trained on one, else the network itself."""
        if self.accelerator == "cpu" or not torch.cuda.is_available():
            return self.recogniser.network, "cpu"
        return copy.deepcopy(self.recogniser.network).to("cuda"), "cuda"  # other measurements use the one on the CPU

    def batches(self, characters: Characters, view: View, seed: int) -> DataLoader[Batch]:
        """Batches of characters at the network's input size, seen through ``view``."""
        dataset = BatchDataset(characters, view, self.recogniser.size, self.recogniser.channels, seed)
        return make_loader(dataset, _BATCH, shuffle=False, workers=0)
