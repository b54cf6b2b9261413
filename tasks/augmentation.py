"""Augmentation on the fly: one albumentations transform that draws an affine matrix and resamples once."""

import math
import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

# albumentations looks for a newer release over the network at import; a benchmark must not.
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

import albumentations as A

from datamodules._image import fit_matrix, resample
from datamodules._loader import Key
from tasks.recipe import Augmentation


class CharacterAugmentation(A.ImageOnlyTransform):  # type: ignore[misc]
    """Random mirrors, rotation, stretch, zoom, shift and shear of a character, as one affine map onto white paper.

    As the view of a datamodule it draws from (seed, epoch, index) alone, because albumentations' generator repeats
    itself in every worker and every epoch. In an ``A.Compose`` it draws from albumentations' generator.

    Args:
        settings: the range of each transform.
        size: output side in pixels.
        p: probability of the transform in an ``A.Compose``.

    Source: mobilenet-hccr, section 3.
    """

    def __init__(self, settings: Augmentation, size: int, p: float = 1.0) -> None:
        super().__init__(p=p)
        self.settings, self.size = settings, size
        self._identity = settings.identity

    def __call__(self, image: NDArray[np.uint8], key: Key | None = None, **data: Any) -> Any:
        """Augment an image, uint8 (h, w) or (h, w, 3): to an image with a key, else to albumentations' dictionary."""
        if key is None:
            return super().__call__(image=image, **data)
        seed, epoch, index = key
        self.py_random.seed((seed << 80) ^ (epoch << 48) ^ index)  # Python's generator spreads the bits
        return resample(image, self.matrix(image.shape[0], image.shape[1]), self.size)

    def get_params_dependent_on_data(self, params: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
        """Draw one matrix for an image of ``params["shape"]``."""
        return {"matrix": self.matrix(*params["shape"][:2])}

    def apply(self, img: NDArray[np.uint8], matrix: NDArray[np.float64], **params: Any) -> NDArray[np.uint8]:
        """Resample through the drawn matrix."""
        return resample(img, matrix, self.size)

    def matrix(self, height: int, width: int) -> NDArray[np.float64]:
        """Draw a map from native pixel coordinates to the output square, float64 (2, 3)."""
        draw, limits = self.py_random.uniform, self.settings
        stretch_x, stretch_y = draw(*limits.stretch), draw(*limits.stretch)
        mirror_x = draw(0, 1) < limits.flip_left_right
        mirror_y = draw(0, 1) < limits.flip_up_down
        turn = math.radians(draw(-limits.rotate, limits.rotate))
        slant = math.tan(math.radians(draw(-limits.shear, limits.shear)))
        zoom = draw(*limits.zoom)
        shift_x, shift_y = draw(-limits.shift, limits.shift), draw(-limits.shift, limits.shift)
        # The pad to a square follows the stretch, so the fit uses the stretched height and width.
        tall, wide = max(1, round(height * stretch_y)), max(1, round(width * stretch_x))
        (scale_x, _, left), (_, scale_y, top) = fit_matrix(tall, wide, self.size).tolist()
        scale_x, scale_y = scale_x * (wide / width), scale_y * (tall / height)
        if self._identity:
            return np.array([[scale_x, 0, left], [0, scale_y, top]])
        # Rotate and shear about the centre, in plain floats: arrays of six numbers cost more than the arithmetic.
        a, c = math.cos(turn) * zoom, math.sin(turn) * zoom
        b, d = a * slant - c, c * slant + a
        if mirror_x:
            a, c = -a, -c
        if mirror_y:
            b, d = -b, -d
        centre = self.size / 2
        x, y = left - centre, top - centre
        to_x, to_y = centre + shift_x * self.size, centre + shift_y * self.size
        return np.array(
            [[a * scale_x, b * scale_y, a * x + b * y + to_x], [c * scale_x, d * scale_y, c * x + d * y + to_y]]
        )

    def get_transform_init_args_names(self) -> tuple[str, ...]:
        """Names of the arguments that albumentations serialises."""
        return ("settings", "size")
