"""Labelled images of native size in one flat array: readers create it, data loaders read it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

NO_WRITER = -1


@dataclass(frozen=True)
class Characters:
    """Labelled images of any size in one flat array, which may be a memory map."""

    pixels: NDArray[np.uint8]  # (total bytes,): all images, row by row; paper is 255
    offsets: NDArray[np.int64]  # (n,): where each image starts in ``pixels``
    heights: NDArray[np.int32]  # (n,): pixels
    widths: NDArray[np.int32]  # (n,): pixels
    labels: NDArray[np.int64]  # (n,): class index
    writers: NDArray[np.int32]  # (n,): writer number, -1 if unknown
    channels: int = 1  # 1 for grey, 3 for RGB (interleaved)

    # The arrays with one item per image.
    PER_IMAGE: ClassVar[tuple[str, ...]] = ("offsets", "heights", "widths", "labels", "writers")

    @classmethod
    def pack(
        cls, images: Iterable[NDArray[np.uint8]], labels: Sequence[int], writers: Sequence[int] | None = None
    ) -> "Characters":
        """Pack images, uint8 (h, w) or (h, w, 3), with labels and writers; grey among colour images becomes colour."""
        arrays = [np.ascontiguousarray(image) for image in images]
        colour = any(array.ndim == 3 for array in arrays)
        if colour:
            arrays = [array if array.ndim == 3 else np.repeat(array[..., None], 3, 2) for array in arrays]
        sizes = np.array([array.size for array in arrays], np.int64)
        return cls(
            pixels=np.concatenate([array.ravel() for array in arrays]) if arrays else np.empty(0, np.uint8),
            offsets=np.cumsum(sizes) - sizes,
            heights=np.array([array.shape[0] for array in arrays], np.int32),
            widths=np.array([array.shape[1] for array in arrays], np.int32),
            labels=np.asarray(labels, np.int64),
            writers=np.full(len(arrays), NO_WRITER, np.int32) if writers is None else np.asarray(writers, np.int32),
            channels=3 if colour else 1,
        )

    def __len__(self) -> int:
        return len(self.labels)

    def __getstate__(self) -> dict[str, Any]:
        """Pickle a memory map as its file name: spawned workers map the file again instead of copying it."""
        state = dict(self.__dict__)
        memory_map = self.pixels.base
        if isinstance(memory_map, np.memmap) and memory_map.size == self.pixels.size:
            state["pixels"] = Path(str(memory_map.filename))
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        if isinstance(state["pixels"], Path):
            state["pixels"] = map_pixels(state["pixels"])
        self.__dict__.update(state)

    def image(self, index: int) -> NDArray[np.uint8]:
        """One image at its native size, uint8 (h, w), or (h, w, 3) in colour; a view, not a copy."""
        start, h, w = int(self.offsets[index]), int(self.heights[index]), int(self.widths[index])
        shape = (h, w) if self.channels == 1 else (h, w, self.channels)
        return self.pixels[start : start + h * w * self.channels].reshape(shape)

    def take(self, indices: NDArray[np.intp | np.bool_]) -> Self:
        """The characters at these indices, or where this mask is true; the pixels are shared."""
        selected: dict[str, Any] = {name: getattr(self, name)[indices] for name in self.PER_IMAGE}
        return replace(self, **selected)


def map_pixels(path: Path) -> NDArray[np.uint8]:
    """Memory-map a file of pixels for reading; processes share its pages."""
    return np.asarray(np.memmap(path, np.uint8, "r"))  # a plain array: slicing a np.memmap takes four times as long
