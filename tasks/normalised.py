"""Normalised: wraps a network so that it takes uint8 images: values 0 to 1, grey inverted so that ink is 1."""

import torch
from torch import Tensor, nn


class Normalised(nn.Module):
    """A network with built-in normalisation, so that callers can neither forget it nor apply it twice.

    Args:
        network: float32 (B, C, S, S) -> logits (B, classes).
        layout: memory format of weights and activations, ``channels_last`` or ``contiguous``.
    """

    def __init__(self, network: nn.Module, layout: str = "contiguous") -> None:
        super().__init__()
        self.network = network
        self.use_layout(layout)

    def use_layout(self, layout: str) -> None:
        """Change the memory format of weights and activations, ``channels_last`` or ``contiguous``."""
        self.layout = torch.channels_last if layout == "channels_last" else torch.contiguous_format
        self.network.to(memory_format=self.layout)

    def forward(self, images: Tensor) -> Tensor:
        """Images, uint8 (B, C, S, S), white paper 255 -> logits (B, classes)."""
        return self.network(self.normalise(images))  # type: ignore[no-any-return]

    def normalise(self, images: Tensor) -> Tensor:
        """Images, uint8 (B, C, S, S) -> input of the inner network, float32 (B, C, S, S) in its layout."""
        if images.dtype != torch.uint8:
            raise TypeError(f"wanted uint8 images with paper 255, got {images.dtype}; normalisation happens here")
        return ink(images).contiguous(memory_format=self.layout)


def ink(images: Tensor) -> Tensor:
    """Images, uint8 (B, C, S, S) -> float32 in 0 to 1; grey images inverted (ink 1, paper 0), colour images not."""
    values = images.float() / 255
    return 1 - values if images.shape[1] == 1 else values  # paper is 0, so that zero padding is paper
