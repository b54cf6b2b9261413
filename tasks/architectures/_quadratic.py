"""Quadratic discriminant functions of many classes: modified (MQDF), then trained on their errors (DLQDF)."""

import torch
from torch import Tensor, nn

# Values gathered at once, 64 MiB of float32: more is not faster, and whole batches would exceed the memory.
_GATHERED = 2**24
# Characters added to each class to regularise its covariance. Chosen on held-out training characters, 100 classes of
# 60 characters each: accuracy on real HWDB and on synthetic characters is 85.5 and 93.3 % with 240, 85.3 and 91.3 %
# with 80, 80.1 and 88.2 % with 10.
_PRIOR = 240.0
# Chosen on the same characters: 85.8 % of the real ones after refinement against 85.5 before is no significant gain;
# four times the rate gives 85.4. The source's extra loss, the distance to the true class, improves neither set.
_RATE, _SLOPE = 0.05, 0.5
_BATCH = 64  # characters per step


class QuadraticDiscriminant(nn.Module):
    """Gaussian classes; each covariance has a few major axes and one variance for all other directions.

    Source: Kimura et al.: Modified quadratic discriminant functions, IEEE PAMI 9(1), 1987.
    """

    def __init__(self, classes: int, dimensions: int, axes: int) -> None:
        super().__init__()
        self.means = nn.Parameter(torch.randn(classes, dimensions), requires_grad=False)
        # Random axes are nearly orthogonal and of unit length.
        self.axes = nn.Parameter(torch.randn(classes, axes, dimensions) / dimensions**0.5, requires_grad=False)
        self.log_variances = nn.Parameter(torch.zeros(classes, axes), requires_grad=False)
        self.log_rest = nn.Parameter(torch.zeros(classes), requires_grad=False)

    def forward(self, features: Tensor, candidates: Tensor) -> Tensor:
        """Features, float (B, dimensions) -> logits (B, classes): log-likelihoods up to a constant.

        Only ``candidates``, int64 (B, n), are computed; all other classes get the lowest of these logits.
        """
        at_once = max(1, _GATHERED // (candidates.shape[1] * self.axes[0].numel()))
        parts = zip(torch.split(features, at_once), torch.split(candidates, at_once), strict=True)
        logits = torch.cat([-0.5 * distances(part, *self.of(classes)) for part, classes in parts])
        lowest = logits.amin(1, keepdim=True).expand(-1, len(self.means))
        return lowest.scatter(1, candidates, logits)

    def multiply_adds(self, features: Tensor, candidates: Tensor) -> int:
        """Multiply-adds of one call: each candidate's axes, their squares and the squared distance."""
        axes, dimensions = self.axes.shape[1:]
        return candidates.numel() * (axes * dimensions + axes + dimensions)

    def of(self, classes: Tensor) -> tuple[Tensor, ...]:
        """Means, axes, log-variances and log-rest of these classes, each (*classes.shape, ...)."""
        return self.means[classes], self.axes[classes], self.log_variances[classes], self.log_rest[classes]

    @torch.no_grad()
    def fit(self, features: Tensor, labels: Tensor) -> None:
        """Set each class from features, float (N, dimensions), and labels, int64 (N,), every class at least once.

        The pooled covariance within classes must be the identity: the covariance of each class is regularised towards
        it, as if the class had _PRIOR more characters.
        """
        dimensions, axes = self.means.shape[1], self.axes.shape[1]
        identity = torch.eye(dimensions, dtype=torch.float64, device=features.device)
        order = labels.argsort()
        groups = torch.split(features[order], labels.bincount(minlength=len(self.means)).tolist())
        for label, group in enumerate(groups):
            mean = group.double().mean(0)
            centred = group.double() - mean
            covariance = (centred.T @ centred + _PRIOR * identity) / (len(group) + _PRIOR)
            variances, vectors = torch.linalg.eigh(covariance)  # ascending
            self.means[label] = mean
            self.axes[label] = vectors[:, dimensions - axes :].T
            self.log_variances[label] = variances[dimensions - axes :].log()
            rest = variances[: dimensions - axes]
            self.log_rest[label] = (rest.mean() if len(rest) else variances[0]).log()

    @torch.no_grad()
    def refine(self, features: Tensor, labels: Tensor, candidates: Tensor, passes: int) -> None:
        """Adjust the means and variances of the classes so that fewer characters are misclassified.

        Stochastic gradient descent on the smoothed error of the true class against its strongest rival. Unlike in the
        source, the axes stay fixed. Source: Liu, Sako, Fujisawa: Discriminative learning quadratic discriminant
        function for handwriting recognition, IEEE TNN 15(2), 2004.

        Args:
            features: float (N, dimensions).
            labels: int64 (N,).
            candidates: int64 (N, n), the nearest classes of each character.
            passes: over all features.
        """
        generator = torch.Generator().manual_seed(0)
        for turn in range(passes):
            shuffled = torch.randperm(len(labels), generator=generator).to(labels.device)
            batches = torch.split(shuffled, _BATCH)
            for number, batch in enumerate(batches):
                rate = _RATE * (1 - (turn + number / len(batches)) / passes)
                self._step(features[batch], labels[batch], candidates[batch], rate)

    def _step(self, features: Tensor, labels: Tensor, candidates: Tensor, rate: float) -> None:
        wrong = distances(features, *self.of(candidates)).masked_fill(candidates == labels[:, None], torch.inf)
        rivals = candidates.gather(1, wrong.argmin(1, keepdim=True))
        pairs = torch.cat([labels[:, None], rivals], 1)
        means, axes, log_variances, log_rest = self.of(pairs)
        trained = [values.requires_grad_() for values in (means, log_variances, log_rest)]
        with torch.enable_grad():
            true, rival = distances(features, means, axes, log_variances, log_rest).unbind(1)
            loss = torch.sigmoid(_SLOPE * (true - rival)) / _SLOPE
            gradients = torch.autograd.grad(loss.sum(), trained)
        # Each gradient is divided by twice its Fisher information, so that one rate suits classes of any spread.
        rest_axes = max(1, axes.shape[3] - axes.shape[2])
        scales: tuple[Tensor | float, ...] = (log_rest.exp()[..., None] / 2, 0.5, 0.5 / rest_axes)
        targets = (self.means, self.log_variances, self.log_rest)
        for target, gradient, scale in zip(targets, gradients, scales, strict=True):
            target.index_add_(0, pairs.flatten(), (gradient * scale).flatten(0, 1), alpha=-rate)


def distances(features: Tensor, means: Tensor, axes: Tensor, log_variances: Tensor, log_rest: Tensor) -> Tensor:
    """Minus twice the log-likelihood, up to a constant, float (B, n).

    Args:
        features: float (B, d).
        means: (B, n, d).
        axes: (B, n, k, d), rows of unit length.
        log_variances: (B, n, k).
        log_rest: (B, n).
    """
    centred = features[:, None] - means
    along = (axes @ centred[..., None])[..., 0]
    precision = (-log_rest).exp()
    inside = (along.square() * ((-log_variances).exp() - precision[..., None])).sum(2)
    volume = log_variances.sum(2) + (centred.shape[2] - along.shape[2]) * log_rest
    return inside + precision * centred.square().sum(2) + volume
