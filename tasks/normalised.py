"""The one place where grey levels become the numbers that networks see."""

import torch
from torch import Tensor, nn


class Normalised(nn.Module):
    """A network with its normalisation sealed inside: nobody can forget it or do it twice.

    Args:
        network: float (B, C, S, S) -> logits (B, classes).
        layout: ``channels_last`` or ``contiguous``, of weights and activations.
    """

    def __init__(self, network: nn.Module, layout: str = "contiguous") -> None:
        super().__init__()
        self.layout = torch.channels_last if layout == "channels_last" else torch.contiguous_format
        self.network = network.to(memory_format=self.layout)

    def forward(self, images: Tensor) -> Tensor:
        """Images, uint8 (B, C, S, S) with paper 255 -> logits (B, classes)."""
        return self.network(self.normalise(images))  # type: ignore[no-any-return]

    def normalise(self, images: Tensor) -> Tensor:
        """What the network inside is given, float (B, C, S, S) in its layout."""
        if images.dtype != torch.uint8:
            raise TypeError(f"wanted uint8 images with paper 255, got {images.dtype}; normalisation happens here")
        return ink(images).contiguous(memory_format=self.layout)


def ink(images: Tensor) -> Tensor:
    """Images, uint8 (B, C, S, S), as float32 0 to 1: grey ones with ink 1 and paper 0, colours as they are."""
    values = images.float() / 255
    return 1 - values if images.shape[1] == 1 else values  # paper is 0, so that padding is paper
