"""From packed characters to batches: which image comes when, and who resamples it."""

from collections.abc import Iterator
from typing import Protocol

import cv2
import numpy as np
import torch
import torch.distributed
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, DistributedSampler

from datamodules._characters import Characters
from datamodules._image import fit_matrix, resample, with_channels

Batch = dict[str, Tensor]
Key = tuple[int, int, int]  # (seed, epoch, index): all that the draws for one image depend on


class View(Protocol):
    """What an image becomes on its way into a batch."""

    def __call__(self, image: NDArray[np.uint8], key: Key) -> NDArray[np.uint8]:
        """Native uint8 (h, w) or (h, w, 3) -> uint8 (size, size) or (size, size, 3)."""
        ...


class Fitted:
    """The evaluation view: padded to a square, resampled, nothing drawn.

    Args:
        size: output side in pixels.
    """

    def __init__(self, size: int) -> None:
        self.size = size

    def __call__(self, image: NDArray[np.uint8], key: Key) -> NDArray[np.uint8]:
        return resample(image, fit_matrix(image.shape[0], image.shape[1], self.size), self.size)


class EpochBatches(DistributedSampler[list[tuple[int, int]]]):
    """Batches of (epoch, index) keys in an order that depends on (seed, epoch) alone.

    The epoch travels with each key, so that workers that outlive an epoch draw afresh too. Under distributed
    training each process takes every world-size-th batch; being a DistributedSampler tells Lightning to leave
    that to it.

    Args:
        count: number of characters.
        batch: characters per batch.
        shuffle: whether the order is drawn; the last, short batch is then dropped unless it is the only one.
        seed: of the order.
        keep_rest: keep it also when shuffling, for fits in one pass that must see every character.
    """

    def __init__(self, count: int, batch: int, shuffle: bool, seed: int, keep_rest: bool = False) -> None:
        self.count, self.batch, self.shuffle, self.seed = count, batch, shuffle, seed
        self.keep_rest = keep_rest
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Called by Lightning's fit loop before each epoch."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        order = np.arange(self.count)
        if self.shuffle:
            np.random.default_rng((self.seed, self.epoch)).shuffle(order)
        rank, world = _place_in_group()
        for number in range(rank, self._batches() // world * world if self.shuffle else self._batches(), world):
            chosen = order[number * self.batch : (number + 1) * self.batch]
            yield [(self.epoch, int(index)) for index in chosen]

    def __len__(self) -> int:
        rank, world = _place_in_group()
        return self._batches() // world if self.shuffle else len(range(rank, self._batches(), world))

    def _batches(self) -> int:
        whole, rest = divmod(self.count, self.batch)
        return whole if self.shuffle and whole and not self.keep_rest else whole + (rest > 0)


class BatchDataset(Dataset[Batch]):
    """A whole batch at a time: ``dataset[[(epoch, index), …]]``.

    Args:
        characters: where the images come from.
        view: what they become.
        size: side of the batch's images in pixels.
        channels: of the batch's images; grey and colour are converted into each other.
        seed: of the run, part of every key.
    """

    def __init__(self, characters: Characters, view: View, size: int, channels: int, seed: int) -> None:
        self.characters, self.view = characters, view
        self.size, self.channels, self.seed = size, channels, seed

    def __getitem__(self, keys: list[tuple[int, int]]) -> Batch:
        images = np.empty((len(keys), self.channels, self.size, self.size), np.uint8)
        for place, (epoch, index) in enumerate(keys):
            image = with_channels(self.characters.image(index), self.channels)
            square = self.view(image, (self.seed, epoch, index))
            images[place] = square if square.ndim == 2 else square.transpose(2, 0, 1)
        labels = self.characters.labels[[index for _, index in keys]]
        return {"images": torch.from_numpy(images), "labels": torch.from_numpy(np.ascontiguousarray(labels))}


def make_loader(
    dataset: BatchDataset, batch: int, shuffle: bool, workers: int, keep_rest: bool = False
) -> DataLoader[Batch]:
    """A loader of ready batches; equal for any number of workers."""
    sampler = EpochBatches(len(dataset.characters), batch, shuffle, dataset.seed, keep_rest)
    return DataLoader(
        dataset,
        sampler=sampler,
        batch_size=None,  # the sampler's keys are whole batches
        num_workers=workers,
        persistent_workers=workers > 0,
        worker_init_fn=_one_thread if workers else None,
        pin_memory=torch.cuda.is_available(),
    )


def _one_thread(worker: int) -> None:
    cv2.setNumThreads(0)  # workers are the parallelism; threads inside them only fight for cores
    torch.set_num_threads(1)


def _place_in_group() -> tuple[int, int]:
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    return 0, 1
