"""Data loaders: the order of the images, their resampling and augmentation, and batches of tensors."""

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
Key = tuple[int, int, int]  # (seed, epoch, index): the random augmentation of an image depends on nothing else


class View(Protocol):
    """A transform of one image: resampling, and augmentation in training."""

    def __call__(self, image: NDArray[np.uint8], key: Key) -> NDArray[np.uint8]:
        """Native uint8 (h, w) or (h, w, 3) -> uint8 (size, size) or (size, size, 3)."""
        ...


class Fitted:
    """The transform for evaluation: pads to a square and resamples to ``size`` pixels, without augmentation."""

    def __init__(self, size: int) -> None:
        self.size = size

    def __call__(self, image: NDArray[np.uint8], key: Key) -> NDArray[np.uint8]:
        return resample(image, fit_matrix(image.shape[0], image.shape[1], self.size), self.size)


class EpochBatches(DistributedSampler[list[tuple[int, int]]]):
    """Samples batches of (epoch, index) keys in an order that depends only on (seed, epoch).

    Each key contains the epoch, so that persistent workers, too, augment differently in each epoch. In distributed
    training each process gets every world-size-th batch; the base class DistributedSampler keeps Lightning from adding
    its own sampler.

    Args:
        count: number of characters.
        batch: characters per batch.
        shuffle: shuffle, and drop the last, incomplete batch unless it is the only one.
        seed: seeds the shuffling.
        keep_rest: keep the incomplete batch also when shuffling, for one-pass fits that need every character.
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
        rank, world = _rank_and_world()
        for number in range(rank, self._batches() // world * world if self.shuffle else self._batches(), world):
            yield [(self.epoch, int(index)) for index in order[number * self.batch : (number + 1) * self.batch]]

    def __len__(self) -> int:
        rank, world = _rank_and_world()
        return self._batches() // world if self.shuffle else len(range(rank, self._batches(), world))

    def _batches(self) -> int:
        full, rest = divmod(self.count, self.batch)
        return full if self.shuffle and full and not self.keep_rest else full + (rest > 0)


class BatchDataset(Dataset[Batch]):
    """Returns a whole batch per item: ``dataset[[(epoch, index), …]]``.

    Args:
        view: transforms each image.
        size: side of the batch images in pixels.
        channels: of the batch images; grey and colour are converted into each other.
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
    """A data loader; the batches do not depend on the number of workers."""
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
    cv2.setNumThreads(0)  # the workers already run in parallel; threads inside them only compete for cores
    torch.set_num_threads(1)


def _rank_and_world() -> tuple[int, int]:
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    return 0, 1
