"""CIFAR-10 or CIFAR-100 as a dataset: the user's files, or a download, in; colour images out."""

from pathlib import Path

from datamodules._base import CharacterDataModule, DatasetInfo, Splits
from datamodules.readers.cifar import Layout, fetch, partial_note, read_splits


class Photographs(CharacterDataModule):
    """CIFAR-10 or CIFAR-100, pickled or binary, from the user's files or downloaded into the user's cache.

    Args:
        layout: which of the two.
        data_root: the folder of its files, the folder that holds it, or the official .tar.gz; None to download. A
            copy with fewer images in its files is read as well, and its records say so.
        batch_size, workers, seed: see CharacterDataModule.

    Raises:
        DataError: a missing or damaged file, one that would run code, or no network.
    """

    def __init__(
        self, layout: Layout, data_root: Path | None = None, batch_size: int = 64, workers: int = 0, seed: int = 0
    ) -> None:
        super().__init__(batch_size, workers, seed)
        self.layout = layout
        self.data_root = None if data_root is None else Path(data_root)

    def prepare_data(self) -> None:
        """Download what is neither given nor in the cache."""
        if self.data_root is None:
            fetch(self.layout)

    def load(self) -> Splits:
        """Read every file once."""
        return read_splits(self.data_root or fetch(self.layout), self.layout)

    def describe(self, splits: Splits) -> DatasetInfo:
        """Facts for records and boards."""
        sizes = {"train": len(splits.train), "val": len(splits.val), "test": len(splits.test)}
        of, note = self.layout, partial_note(splits, self.layout)
        return DatasetInfo(of.name, len(splits.labels), sizes, of.source, of.licence, False, note)
