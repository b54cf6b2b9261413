"""Characters of native size, packed end to end: what every reader fills and every loader reads."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

NO_WRITER = -1


@dataclass(frozen=True)
class Characters:
    """Labelled images of any size in one flat array, so that a memory map serves as well as memory.

    Attributes:
        pixels: uint8 (total bytes,), images row by row, end to end; paper is 255.
        offsets: int64 (n,), where each image starts in ``pixels``.
        heights: int32 (n,), pixels.
        widths: int32 (n,), pixels.
        labels: int64 (n,), class index.
        writers: int32 (n,), writer number, or -1 where unknown.
        channels: 1 for grey, 3 for RGB (interleaved).
    """

    pixels: NDArray[np.uint8]
    offsets: NDArray[np.int64]
    heights: NDArray[np.int32]
    widths: NDArray[np.int32]
    labels: NDArray[np.int64]
    writers: NDArray[np.int32]
    channels: int = 1

    @classmethod
    def pack(
        cls, images: Iterable[NDArray[np.uint8]], labels: Sequence[int], writers: Sequence[int] | None = None
    ) -> "Characters":
        """Pack images, uint8 (h, w) or (h, w, 3), with their labels and writers."""
        kept = [np.ascontiguousarray(image) for image in images]
        sizes = np.array([image.size for image in kept], np.int64)
        return cls(
            pixels=np.concatenate([image.ravel() for image in kept]) if kept else np.empty(0, np.uint8),
            offsets=np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64) if kept else np.empty(0, np.int64),
            heights=np.array([image.shape[0] for image in kept], np.int32),
            widths=np.array([image.shape[1] for image in kept], np.int32),
            labels=np.asarray(labels, np.int64),
            writers=np.full(len(kept), NO_WRITER, np.int32) if writers is None else np.asarray(writers, np.int32),
            channels=kept[0].shape[2] if kept and kept[0].ndim == 3 else 1,
        )

    def __len__(self) -> int:
        return len(self.labels)

    def __getstate__(self) -> dict[str, Any]:
        """Send a memory map by name: workers that are not forked map the file again instead of copying it."""
        state = dict(self.__dict__)
        whole = self.pixels.base
        if isinstance(whole, np.memmap) and whole.size == self.pixels.size:
            state["pixels"] = Path(str(whole.filename))
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take what ``__getstate__`` gave."""
        if isinstance(state["pixels"], Path):
            state["pixels"] = map_pixels(state["pixels"])
        self.__dict__.update(state)

    def image(self, index: int) -> NDArray[np.uint8]:
        """One image at its native size, uint8 (h, w), or (h, w, 3) in colour; a view, not a copy."""
        start, h, w = int(self.offsets[index]), int(self.heights[index]), int(self.widths[index])
        shape = (h, w) if self.channels == 1 else (h, w, self.channels)
        return self.pixels[start : start + h * w * self.channels].reshape(shape)

    def take(self, indices: NDArray[np.intp]) -> "Characters":
        """The characters at these indices; the pixels are shared."""
        return Characters(
            self.pixels,
            self.offsets[indices],
            self.heights[indices],
            self.widths[indices],
            self.labels[indices],
            self.writers[indices],
            self.channels,
        )


def map_pixels(path: Path) -> NDArray[np.uint8]:
    """A file of pixels, memory-mapped for reading: all processes that map it share its pages."""
    return np.asarray(np.memmap(path, np.uint8, "r"))  # a plain array: slices of a memmap cost four times as much
