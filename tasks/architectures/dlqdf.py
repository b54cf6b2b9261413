"""MQDF and DLQDF: gradient directions and a quadratic classifier, the standard before convolutional networks."""

import math

import torch
from torch import Tensor, nn

from tasks.architectures._checks import check_variant, fitted, output_shape
from tasks.architectures._directions import DIRECTIONS, DirectionMaps
from tasks.architectures._quadratic import QuadraticDiscriminant

SOURCE = "Liu, Yin, Wang, Wang: Online and offline HCCR: benchmarking on new databases, Pattern Recognition 46(1), 2013"
VARIANTS = ("mqdf", "dlqdf")
INPUT = (1, 64)
# Measured on an AMD EPYC with AVX-512, batch 1, one thread, 3,755 classes: 4.1 ms in channels last, 3.9 contiguous.
LAYOUT = "contiguous"
# Statistics need full precision, and there is no training step to speed up.
CPU_TRAINING = "fp32"
# No optimiser: one pass over the unaugmented images; the refinement uses their features.
RECIPE = {
    "light": {"optimizer": "none", "epochs": 1, "batch": 256, "augmentation": {}},
    "paper": {"optimizer": "none", "epochs": 1, "batch": 256, "augmentation": {}},
}

_PLACES = 8  # Liu et al. 2013: 8 directions at 8x8 places are 512 features
# Liu et al. 2013: features after the Fisher projection, axes of each class, and nearest means; only for these nearest
# classes the quadratic functions are computed.
_DIMENSIONS, _AXES, _CANDIDATES = 160, 50, 200
_PASSES = 4  # of the refinement; _quadratic.py says how its settings were chosen
_RIVALS = 8  # nearest means in the refinement: the strongest rival is nearly always among them
_CHUNK = 8192  # characters per step of the computation in float64
_RIDGE = 1e-3  # share of the mean variance added to every direction, because strokes never reach some positions


class BlurredPlaces(nn.Module):
    """Gaussian blur sampled at 8x8 positions, then the square root: (B, 8, S, S) -> (B, 512).

    The width of the blur is sqrt(2) t / pi for a sampling interval of t; the root makes the features of a class more
    nearly Gaussian. Source: Liu et al.: Handwritten digit recognition: benchmarking of state-of-the-art
    techniques, Pattern Recognition 36(10), 2003.
    """

    kernels: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.interval = max(1, size // _PLACES)
        # Three quarters of an interval around each position: 2.8 widths to either side of its centre.
        self.padding = round(0.75 * self.interval)
        reach = self.interval / 2 + self.padding - 0.5
        steps = torch.linspace(-reach, reach, self.interval + 2 * self.padding)
        window = torch.exp(-0.5 * (steps * math.pi / (math.sqrt(2) * self.interval)) ** 2)
        window = window / window.sum()
        self.register_buffer("kernels", torch.outer(window, window).repeat(DIRECTIONS, 1, 1, 1))

    def forward(self, maps: Tensor) -> Tensor:
        """Non-negative float (B, 8, S, S) -> (B, 512)."""
        blurred = nn.functional.conv2d(maps, self.kernels, None, self.interval, self.padding, groups=DIRECTIONS)
        return blurred.sqrt().flatten(1)


class Dlqdf(nn.Module):
    """Direction features, Fisher projection, and quadratic discriminants of the classes with the nearest means.

    Pass each training image to ``update`` once, then call ``finish``; until then the weights are random. The features
    are kept in memory until then, 1 KiB a character: 0.9 GB for HWDB1.1, plus 0.6 GB for their projection.
    ``passes`` is the number of passes of the refinement; 0 gives the plain modified quadratic discriminant function.
    """

    def __init__(self, classes: int, channels: int, size: int, passes: int) -> None:
        super().__init__()
        self.features = nn.Sequential(DirectionMaps(channels), BlurredPlaces(size))
        (features,) = output_shape(self.features, channels, size)
        # The Fisher projection has at most one direction less than classes; the ratio of axes to it is kept.
        dimensions = max(1, min(_DIMENSIONS, classes - 1, features))
        axes = max(1, dimensions * _AXES // _DIMENSIONS)
        self.project = nn.Linear(features, dimensions).requires_grad_(False)
        self.coarse = nn.Linear(dimensions, classes).requires_grad_(False)  # 2 m·x - |m|², as in nearest_mean
        self.quadratic = QuadraticDiscriminant(classes, dimensions, axes)
        self.passes = passes
        self._kept: list[tuple[Tensor, Tensor]] = []  # float16 (B, 512) and int64 (B,), on the CPU

    def forward(self, images: Tensor) -> Tensor:
        """Float (B, C, S, S) -> logits (B, classes)."""
        features = self.project(self.features(images))
        return self.quadratic(features, self._candidates(features, _CANDIDATES))  # type: ignore[no-any-return]

    @torch.no_grad()
    def update(self, images: Tensor, labels: Tensor) -> None:
        """Keep the features of a batch, float (B, C, S, S) and int64 (B,)."""
        with torch.autocast(images.device.type, enabled=False):
            features = self.features(images.float())
        self._kept.append((features.half().cpu(), labels.cpu()))

    @torch.no_grad()
    def finish(self) -> None:
        """Set all weights from the batches since the last ``finish``.

        Raises:
            ValueError: no images at all, or none of some class.
        """
        if not self._kept:
            raise ValueError("wanted the training images, got none; call update with every batch first")
        features, labels = (torch.cat(parts) for parts in zip(*self._kept, strict=True))
        counts = labels.bincount(minlength=self.coarse.out_features)
        if empty := torch.nonzero(counts == 0)[:, 0].tolist():
            raise ValueError(f"wanted at least one image of each class, got none of classes {empty[:10]}")
        self._kept = []
        device = self.coarse.weight.device
        projection, offset = fisher(features, labels, counts, self.project.out_features)
        self.project.weight.copy_(projection)
        self.project.bias.copy_(offset)
        projected = torch.cat([self.project(part.to(device).float()) for part in torch.split(features, _CHUNK)])
        del features
        self.quadratic.fit(projected, labels.to(device))
        self.coarse.weight.copy_(2 * self.quadratic.means)
        self.coarse.bias.copy_(-self.quadratic.means.square().sum(1))
        if self.passes:
            nearest = torch.cat([self._candidates(part, _RIVALS) for part in torch.split(projected, _CHUNK)])
            self.quadratic.refine(projected, labels.to(device), nearest, self.passes)

    def _candidates(self, features: Tensor, most: int) -> Tensor:
        """The classes of the nearest means, int64 (B, at most ``most``)."""
        return self.coarse(features).topk(min(most, self.coarse.out_features), 1).indices  # type: ignore[no-any-return]


def build(variant: str, classes: int, channels: int, size: int) -> nn.Module:
    """``mqdf`` is fitted by statistics only; ``dlqdf`` is then refined on its errors.

    31,518,940 values at 3,755 classes, 120.2 MiB, where fire-hccr's Table 5 prints 120.0 MB. The original normalises
    the shape of the character while it sums gradients; that is left out here.
    """
    check_variant(variant, VARIANTS)
    return fitted(Dlqdf(classes, channels, size, _PASSES if variant == "dlqdf" else 0), channels, size)


def fisher(features: Tensor, labels: Tensor, counts: Tensor, dimensions: int) -> tuple[Tensor, Tensor]:
    """Fisher's linear discriminants: the pooled covariance within classes becomes the identity, the centre 0.

    Args:
        features: float (N, F), of any precision.
        labels: int64 (N,).
        counts: int64 (classes,), images of each class; none of them 0.
        dimensions: of the projected features.

    Returns: projection, float64 (dimensions, F), and offset (dimensions,).

    Source: Fukunaga: Introduction to statistical pattern recognition, 1990, section 10.2.
    """
    width = features.shape[1]
    sums = torch.zeros(len(counts), width, dtype=torch.float64)
    scatter = torch.zeros(width, width, dtype=torch.float64)
    for part, owners in zip(torch.split(features, _CHUNK), torch.split(labels, _CHUNK), strict=True):
        values = part.double()
        sums.index_add_(0, owners, values)
        scatter += values.T @ values
    means, centre = sums / counts[:, None], sums.sum(0) / len(labels)
    weighted = means * counts[:, None]
    within = (scatter - weighted.T @ means) / len(labels)
    between = (means - centre).T @ (weighted - centre * counts[:, None]) / len(labels)
    within += torch.eye(width, dtype=torch.float64) * (_RIDGE * (within + between).trace() / width + torch.finfo().tiny)
    whitening = torch.linalg.inv(torch.linalg.cholesky(within))
    _, vectors = torch.linalg.eigh(whitening @ between @ whitening.T)  # ascending
    projection = vectors[:, width - dimensions :].T.flip(0) @ whitening
    return projection, -projection @ centre
