"""Direction maps: the gradient of a character image, decomposed into eight directions."""

import math

import torch
from torch import Tensor, nn

DIRECTIONS = 8

# Sobel's operator along x, divided by 8: a rise from 0 to 1 over two pixels is a gradient of one half per pixel.
_SOBEL = ((-1.0, 0.0, 1.0), (-2.0, 0.0, 2.0), (-1.0, 0.0, 1.0))
_SOBEL_SUM = 8.0


class DirectionMaps(nn.Module):
    """Gradient of the channels' sum in eight directions, 45 degrees apart, (B, C, S, S) -> (B, 8, S, S).

    Each gradient lies between two neighbouring directions and is split into one vector along each (a parallelogram):
    the axis gets the difference of its two components, the diagonal sqrt(2) times the smaller component.
    The first map holds gradients along +x, the third gradients along +y, which points downwards.
    Source: Liu: Normalization-cooperated gradient feature extraction, IEEE PAMI 29(8), 2007.
    """

    kernels: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        along_x = torch.tensor(_SOBEL) / _SOBEL_SUM
        pair = torch.stack([along_x, along_x.T])
        self.register_buffer("kernels", pair[:, None].repeat(1, channels, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        """Float (B, C, S, S), with paper 0 and padded by paper -> non-negative (B, 8, S, S)."""
        x, y = torch.split(nn.functional.conv2d(images, self.kernels, padding=1), 1, 1)
        size_x, size_y = x.abs(), y.abs()
        right, left, down, up = (part.relu() for part in (x, -x, y, -y))
        maps = (
            (x - size_y).relu(), math.sqrt(2) * torch.minimum(right, down),
            (y - size_x).relu(), math.sqrt(2) * torch.minimum(left, down),
            (-x - size_y).relu(), math.sqrt(2) * torch.minimum(left, up),
            (-y - size_x).relu(), math.sqrt(2) * torch.minimum(right, up),
        )  # fmt: skip
        return torch.cat(maps, 1)
