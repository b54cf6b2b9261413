"""Predictions of a row on any characters, seen through any view."""

import numpy as np
import torch

from bench.measurements._row import Row
from bench.records.predictions import Predictions
from datamodules._characters import Characters
from datamodules._loader import View
from tasks.classification import best_answers


def predict(row: Row, characters: Characters, view: View, seed: int = 0) -> Predictions:
    """Predictions in full precision, on the device of the training; ``seed`` is for random views."""
    network, device = row.network_on_device()
    top, probability = [], []
    with torch.inference_mode():
        for batch in row.batches(characters, view, seed):
            best, _ = best_answers(network, batch["images"].to(device))
            top.append(best.indices.cpu())
            probability.append(best.values[:, 0].cpu())
    return Predictions(torch.cat(top).numpy().astype(np.int32), torch.cat(probability).numpy(), characters.labels)
