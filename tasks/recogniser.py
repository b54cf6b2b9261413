"""A network with its preprocessing: what latency, export and recognition use."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from datamodules._image import fit_matrix, resample


class Recogniser:
    """One character in, class probabilities out.

    Args:
        network: uint8 (B, channels, size, size) -> logits (B, classes); in eval mode.
        channels: 1 or 3.
        size: side of the network's input in pixels.
    """

    def __init__(self, network: nn.Module, channels: int, size: int) -> None:
        self.network = network.eval()
        self.channels = channels
        self.size = size

    def preprocess(self, image: NDArray[np.uint8]) -> Tensor:
        """A native-size character, uint8 (h, w) or (h, w, 3), as the network's input, uint8 (1, channels, size, size)."""
        square = resample(image, fit_matrix(*image.shape[:2], self.size), self.size)
        planes = square[None] if square.ndim == 2 else np.ascontiguousarray(square.transpose(2, 0, 1))
        return torch.from_numpy(planes)[None]

    @torch.inference_mode()
    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities, float32 (classes,), of one native-size character."""
        return torch.softmax(self.network(self.preprocess(image)), 1)[0].numpy()  # type: ignore[no-any-return]
