"""Nearest class mean: the baseline that every network must beat, fitted in one pass without gradients."""

import torch
from torch import Tensor, nn

from tasks.architectures._checks import check_variant, fitted

SOURCE = "minimum-distance classifier; Duda, Hart: Pattern Classification and Scene Analysis, 1973"
VARIANTS = ()
INPUT = (1, 64)
# Measured on an AMD EPYC: 0.017 ms in either layout, as the images are flattened first.
LAYOUT = "contiguous"
# Sums need full precision, and there is no training step to speed up.
CPU_TRAINING = "fp32"
# No optimiser: one pass over the unaugmented images.
RECIPE = {
    "light": {"optimizer": "none", "epochs": 1, "batch": 256, "augmentation": {}},
    "paper": {"optimizer": "none", "epochs": 1, "batch": 256, "augmentation": {}},
}


class NearestMean(nn.Module):
    """The class with the nearest mean image, as one linear layer: logits 2 m·x - |m|².

    The logits are the negative squared distances plus |x|², which is the same for all classes. Pass each training
    image to ``update`` once, then call ``finish``; until then the weights are random.
    """

    def __init__(self, classes: int, pixels: int) -> None:
        super().__init__()
        self.means = nn.Linear(pixels, classes).requires_grad_(False)
        self._sums: Tensor | None = None  # float64 (classes, pixels + 1); the last column counts images

    def forward(self, images: Tensor) -> Tensor:
        """Float (B, C, S, S) -> logits (B, classes)."""
        return self.means(images.flatten(1))  # type: ignore[no-any-return]

    @torch.no_grad()
    def update(self, images: Tensor, labels: Tensor) -> None:
        """Add a batch, float (B, C, S, S) and int64 (B,), to the sums of its classes."""
        pixels = images.flatten(1).double()
        if self._sums is None:
            self._sums = pixels.new_zeros(self.means.out_features, self.means.in_features + 1)
        self._sums.index_add_(0, labels, nn.functional.pad(pixels, (0, 1), value=1.0))

    @torch.no_grad()
    def finish(self) -> None:
        """Set the linear layer from all batches since the last ``finish``.

        Raises:
            ValueError: no images at all, or none of some class.
        """
        if self._sums is None:
            raise ValueError("wanted the training images, got none; call update with every batch first")
        counts = self._sums[:, -1:]
        if empty := torch.nonzero(counts[:, 0] == 0)[:, 0].tolist():
            raise ValueError(f"wanted at least one image of each class, got none of classes {empty[:10]}")
        means = self._sums[:, :-1] / counts
        self.means.weight.copy_(2 * means)
        self.means.bias.copy_(-means.square().sum(1))
        self._sums = None


def build(variant: str, classes: int, channels: int, size: int) -> nn.Module:
    """Nearest class mean in pixel space."""
    check_variant(variant, VARIANTS)
    return fitted(NearestMean(classes, channels * size * size), channels, size)
