"""What every dataset offers: packed splits, labels, facts, a fingerprint and Lightning's loaders."""

import hashlib
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytorch_lightning as pl
from numpy.typing import NDArray
from torch.utils.data import DataLoader

from datamodules._characters import NO_WRITER, Characters
from datamodules._loader import Batch, BatchDataset, Fitted, View, make_loader

VALIDATION_SHARE = 0.1  # of the training part, where the dataset brings no validation split of its own
VALIDATION_LEAST = 256  # latency cycles through as many validation characters
_SPLIT_SEED = 2013  # the validation part is the same for every seed of a run


@dataclass(frozen=True)
class DatasetInfo:
    """Facts about a dataset as it was loaded.

    Attributes:
        name: as it stands in records and boards.
        classes: size of the label space.
        sizes: characters in ``train``, ``val`` and ``test``.
        source: where it comes from.
        licence: what its owner allows.
        synthetic: whether it was drawn by a program.
        note: what a reader of its boards must know; empty where ``synthetic`` says it all.
    """

    name: str
    classes: int
    sizes: Mapping[str, int]
    source: str
    licence: str
    synthetic: bool
    note: str = ""


@dataclass(frozen=True)
class DataSettings:
    """What a suite and the command line ask of a dataset.

    Attributes:
        data_root: folder or archive with the user's files; None for embedded data.
        classes: label-space size that the scale asks of embedded data; None for all.
        writers: (train, test) synthetic writers that the scale asks of embedded data.
    """

    data_root: Path | None = None
    classes: int | None = None
    writers: tuple[int, int] | None = None


@dataclass(frozen=True)
class Splits:
    """What ``load`` returns: class names in label order, and the three parts.

    Attributes:
        content: SHA-256 of what all pixels were made from, where that is known; saves the fingerprint reading them.
    """

    labels: tuple[str, ...]
    train: Characters
    val: Characters
    test: Characters
    content: str = ""


class CharacterDataModule(pl.LightningDataModule):
    """Batches ``{"images": uint8 (B, C, S, S), "labels": int64 (B,)}`` from characters of native size.

    The task states what its network takes (``set_input``) and gives the augmentation (``set_augmentation``).

    Args:
        batch_size: characters per batch.
        workers: loader processes; batches do not depend on it.
        seed: of the order and of the augmentation.
    """

    def __init__(self, batch_size: int = 64, workers: int = 0, seed: int = 0) -> None:
        super().__init__()
        self.batch_size, self.workers, self.seed = batch_size, workers, seed
        self.channels, self.size = 1, 64
        self.keep_rest = False
        self._augmentation: View | None = None
        self._splits: Splits | None = None
        self._fingerprint = ""

    @abstractmethod
    def load(self) -> Splits:
        """Read all parts; called once."""

    @abstractmethod
    def describe(self, splits: Splits) -> DatasetInfo:
        """The facts of this dataset, as loaded."""

    def setup(self, stage: str | None = None) -> None:
        """Load the dataset once, whatever the stage."""
        if self._splits is None:
            self._splits = self.load()

    def set_input(self, channels: int, size: int) -> None:
        """Make batches of this many channels and pixels a side."""
        self.channels, self.size = channels, size

    def set_augmentation(self, view: View) -> None:
        """Let training batches pass through ``view``; evaluation batches never do."""
        self._augmentation = view

    @property
    def splits(self) -> Splits:
        """The loaded parts."""
        self.setup()
        assert self._splits is not None
        return self._splits

    @property
    def info(self) -> DatasetInfo:
        """The facts of this dataset, as loaded."""
        return self.describe(self.splits)

    @property
    def labels(self) -> tuple[str, ...]:
        """Class names in label order."""
        return self.splits.labels

    @property
    def train(self) -> Characters:
        """The training part, without the validation part."""
        return self.splits.train

    @property
    def val(self) -> Characters:
        """The validation part: cut from the training part, by writer wherever writers are known."""
        return self.splits.val

    @property
    def test(self) -> Characters:
        """The official test part; read after training."""
        return self.splits.test

    @property
    def fingerprint(self) -> str:
        """SHA-256 over labels, split and pixels, as ``sha256:…``."""
        if not self._fingerprint:
            self._fingerprint = fingerprint_of(self.splits)
        return self._fingerprint

    def train_dataloader(self) -> DataLoader[Batch]:
        """Shuffled, augmented batches."""
        return self._loader(self.train, self._augmentation or Fitted(self.size), shuffle=True)

    def val_dataloader(self) -> DataLoader[Batch]:
        """Validation batches in order."""
        return self._loader(self.val, Fitted(self.size), shuffle=False)

    def test_dataloader(self) -> DataLoader[Batch]:
        """Test batches in order."""
        return self._loader(self.test, Fitted(self.size), shuffle=False)

    def predict_dataloader(self) -> DataLoader[Batch]:
        """Test batches in order: predictions are stored beside the test labels."""
        return self.test_dataloader()

    def _loader(self, part: Characters, view: View, shuffle: bool) -> DataLoader[Batch]:
        dataset = BatchDataset(part, view, self.size, self.channels, self.seed)
        # One pass over the evaluation parts is too short to pay for starting workers.
        return make_loader(dataset, self.batch_size, shuffle, self.workers if shuffle else 0, self.keep_rest)


def cut_validation(train: Characters) -> tuple[Characters, Characters]:
    """Split (rest, validation): whole writers wherever all are known, else the same share of every class.

    At least VALIDATION_SHARE of the characters, and at least VALIDATION_LEAST while that is under a third of them.
    """
    wanted = max(VALIDATION_SHARE * len(train), min(VALIDATION_LEAST, len(train) // 3))
    rng = np.random.default_rng(_SPLIT_SEED)
    chosen = np.zeros(len(train), bool)
    if len(train) and (train.writers != NO_WRITER).all() and len(np.unique(train.writers)) > 1:
        for writer in rng.permutation(np.unique(train.writers)):
            if chosen.sum() >= wanted:
                break
            chosen |= train.writers == writer
    else:
        share = wanted / max(1, len(train))
        for label in np.unique(train.labels):
            members = np.flatnonzero(train.labels == label)
            count = min(len(members) - 1, int(np.ceil(share * len(members))))
            chosen[rng.permutation(members)[:count]] = True
    return train.take(np.flatnonzero(~chosen)), train.take(np.flatnonzero(chosen))


def fingerprint_of(splits: Splits) -> str:
    """SHA-256 over class names, the split, who wrote what and every pixel, or what all pixels were made from."""
    digest = hashlib.sha256("\n".join(splits.labels).encode())
    for part in (splits.train, splits.val, splits.test):
        for array in (part.labels, _in_order(part.writers), part.heights, part.widths):
            digest.update(np.ascontiguousarray(array).tobytes())
        for index in range(0 if splits.content else len(part)):
            digest.update(part.image(index).tobytes())
    digest.update(splits.content.encode())
    return f"sha256:{digest.hexdigest()}"


def _in_order(writers: NDArray[np.int32]) -> NDArray[np.int32]:
    """Writers as they are counted within a part: who wrote what together stays, whatever their numbers."""
    known, numbers = np.unique(writers, return_inverse=True)
    return (numbers - int(NO_WRITER in known)).astype(np.int32)
