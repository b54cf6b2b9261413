"""Base class of all datasets: packed splits, labels, metadata, a fingerprint and Lightning's data loaders."""

import hashlib
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytorch_lightning as pl
from numpy.typing import NDArray
from torch.utils.data import DataLoader

from datamodules._characters import NO_WRITER, Characters
from datamodules._errors import DataError
from datamodules._loader import Batch, BatchDataset, Fitted, View, make_loader

VALIDATION_SHARE = 0.1  # of the training part, if the dataset has no validation split of its own
VALIDATION_LEAST = 256  # the latency measurement cycles through this many validation characters
_SPLIT_SEED = 2013  # fixed: the validation part is the same for every seed of a run


@dataclass(frozen=True)
class DatasetInfo:
    """Metadata of a loaded dataset."""

    name: str  # in records and on boards
    classes: int  # size of the label space
    sizes: Mapping[str, int]  # number of characters in ``train``, ``val`` and ``test``
    source: str
    licence: str  # short: who may use it for what; weights and exported files carry it
    synthetic: bool  # drawn by a program
    note: str = ""  # notice on its boards; empty if the standard notice for synthetic data is enough


@dataclass(frozen=True)
class DataSettings:
    """Options that a suite and the command line pass to a dataset."""

    data_root: Path | None = None  # folder or archive with the user's files; None for embedded data
    classes: int | None = None  # number of classes of embedded data, set by the scale; None for all
    writers: tuple[int, int] | None = None  # synthetic writers (train, test) of embedded data, set by the scale
    glyphs: tuple[Path, ...] = ()  # folders of fonts and stroke data that synthetic writers follow

    def require_data_root(self, wanted: str, advice: str = "") -> Path:
        """The data root.

        Raises:
            DataError: ``--data-root`` is missing; the message says what it must be.
        """
        if self.data_root is None:
            raise DataError("--data-root", 0, wanted, "nothing", advice)
        return self.data_root


@dataclass(frozen=True)
class Splits:
    """A loaded dataset: class names and the three parts."""

    labels: tuple[str, ...]  # class names in label order
    train: Characters
    val: Characters
    test: Characters
    content: str = ""  # SHA-256 of the source data, if known: the fingerprint then need not read all pixels
    unknown: Characters | None = None  # test characters outside the label space; their labels mean nothing

    @property
    def sizes(self) -> dict[str, int]:
        """Number of characters in each part."""
        return {"train": len(self.train), "val": len(self.val), "test": len(self.test)}


class CharacterDataModule(pl.LightningDataModule):
    """Makes batches ``{"images": uint8 (B, C, S, S), "labels": int64 (B,)}`` from characters of native size.

    The task sets the input shape of its network (``set_input``) and the augmentation (``set_augmentation``).

    Args:
        batch_size: characters per batch.
        workers: loader processes; batches do not depend on their number.
        seed: seeds the shuffling and the augmentation.

    Attributes:
        per_class: characters of each class in the training part, at most; set before the first use. Validation and
            test parts stay whole.
    """

    def __init__(self, batch_size: int = 64, workers: int = 0, seed: int = 0) -> None:
        super().__init__()
        self.batch_size, self.workers, self.seed = batch_size, workers, seed
        self.channels, self.size = 1, 64
        self.keep_rest = False
        self.per_class: int | None = None
        self._augmentation: View | None = None
        self._splits: Splits | None = None
        self._fingerprint = ""

    @abstractmethod
    def load(self) -> Splits:
        """Read all parts; called once."""

    @abstractmethod
    def describe(self, splits: Splits) -> DatasetInfo:
        """Metadata of the loaded dataset."""

    def setup(self, stage: str | None = None) -> None:
        """Load the dataset once, for all stages."""
        if self._splits is None:
            splits = self.load()
            if self.per_class is not None:
                content = f"{splits.content} {self.per_class} per class" if splits.content else ""
                splits = replace(splits, train=_at_most(splits.train, self.per_class), content=content)
            self._splits = splits

    def set_input(self, channels: int, size: int) -> None:
        """Set the shape of the batch images: number of channels, and side in pixels."""
        self.channels, self.size = channels, size

    def set_augmentation(self, view: View) -> None:
        """Apply ``view`` to training images; evaluation images are never augmented."""
        self._augmentation = view

    @property
    def splits(self) -> Splits:
        """The loaded dataset."""
        self.setup()
        assert self._splits is not None
        return self._splits

    @property
    def info(self) -> DatasetInfo:
        """Metadata of the loaded dataset; with ``per_class``, its name says so."""
        info = self.describe(self.splits)
        return info if self.per_class is None else replace(info, name=f"{info.name}-{self.per_class}-per-class")

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
        """The validation part: split off the training part, by writer if the writers are known."""
        return self.splits.val

    @property
    def test(self) -> Characters:
        """The official test part; used only after training."""
        return self.splits.test

    @property
    def fingerprint(self) -> str:
        """SHA-256 of labels, split and pixels, as ``sha256:…``."""
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
        """Test batches in order, because predictions are stored with the test labels."""
        return self.test_dataloader()

    def _loader(self, part: Characters, view: View, shuffle: bool) -> DataLoader[Batch]:
        dataset = BatchDataset(part, view, self.size, self.channels, self.seed)
        # Evaluation parts are read in one pass: too short to be worth starting workers.
        return make_loader(dataset, self.batch_size, shuffle, self.workers if shuffle else 0, self.keep_rest)


def cut_validation(train: Characters) -> tuple[Characters, Characters]:
    """Split into (training, validation): by writer if all writers are known, else the same share of every class.

    Validation gets at least VALIDATION_SHARE of the characters, and at least VALIDATION_LEAST (or a third, if fewer).
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
    return train.take(~chosen), train.take(chosen)


def _at_most(train: Characters, per_class: int) -> Characters:
    """At most this many characters of each class, always the same ones; fewer are a part of more."""
    order = np.random.default_rng(_SPLIT_SEED).permutation(len(train))
    by_class = order[np.argsort(train.labels[order], kind="stable")]
    counts = np.bincount(train.labels)
    ranks = np.empty(len(train), np.int64)
    ranks[by_class] = np.arange(len(train)) - np.repeat(np.cumsum(counts) - counts, counts)
    return train.take(ranks < per_class)


def fingerprint_of(splits: Splits) -> str:
    """SHA-256 of class names, split, writers, and every pixel (or ``content`` instead of the pixels)."""
    digest = hashlib.sha256("\n".join(splits.labels).encode())
    for part in (splits.train, splits.val, splits.test, *([] if splits.unknown is None else [splits.unknown])):
        for array in (part.labels, _renumber(part.writers), part.heights, part.widths):
            digest.update(np.ascontiguousarray(array).tobytes())
        for index in range(0 if splits.content else len(part)):
            digest.update(part.image(index).tobytes())
    digest.update(splits.content.encode())
    return f"sha256:{digest.hexdigest()}"


def _renumber(writers: NDArray[np.int32]) -> NDArray[np.int32]:
    """Number the writers from 0, so that the fingerprint depends on the grouping alone."""
    known, numbers = np.unique(writers, return_inverse=True)
    return (numbers - int(NO_WRITER in known)).astype(np.int32)
