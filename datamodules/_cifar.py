"""CIFAR-10 and CIFAR-100 as datasets: from the user's files or those that ``readers/cifar.py`` downloads."""

from pathlib import Path

from datamodules._base import CharacterDataModule, DatasetInfo, Splits
from datamodules.readers.cifar import Layout, fetch, partial_note, read_splits


class Cifar(CharacterDataModule):
    """CIFAR-10 or CIFAR-100, pickled or binary, from the user's files or downloaded into the cache folder.

    Args:
        layout: of CIFAR-10 or of CIFAR-100.
        data_root: the folder of the files, its parent, or the official .tar.gz; None to download. Files with fewer
            images than the original are accepted, and the records say so.

    Raises:
        DataError: a file is missing, damaged or would run code when unpickled, or the download fails.
    """

    def __init__(
        self, layout: Layout, data_root: Path | None = None, batch_size: int = 64, workers: int = 0, seed: int = 0
    ) -> None:
        super().__init__(batch_size, workers, seed)
        self.layout = layout
        self.data_root = None if data_root is None else Path(data_root)

    def prepare_data(self) -> None:
        """Download the files, unless the user supplies them or the cache holds them."""
        if self.data_root is None:
            fetch(self.layout)

    def load(self) -> Splits:
        """Read every file once."""
        return read_splits(self.data_root or fetch(self.layout), self.layout)

    def describe(self, splits: Splits) -> DatasetInfo:
        """Metadata for records and boards."""
        layout, note = self.layout, partial_note(splits, self.layout)
        return DatasetInfo(layout.name, len(splits.labels), splits.sizes, layout.source, layout.licence, False, note)
