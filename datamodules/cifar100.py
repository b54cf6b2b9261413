"""CIFAR-100: 50,000 training and 10,000 test photographs of a hundred kinds of things, 32×32 in colour."""

from pathlib import Path

from datamodules import _cifar
from datamodules._base import CharacterDataModule, DatasetInfo, DataSettings, Splits

SOURCE = "A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, technical report, 2009"
LICENCE = "none stated; its author asks that the report be cited"
SYNTHETIC = False
# https://www.cs.toronto.edu/~kriz/cifar.html, "Dataset layout", and the files themselves.
LAYOUT = _cifar.Layout(
    title="CIFAR-100",
    torchvision="CIFAR100",
    python=_cifar.Form("cifar-100-python", ("train",), ("test",), "meta"),
    binary=_cifar.Form(
        "cifar-100-binary",
        ("train.bin",),
        ("test.bin",),
        "fine_label_names.txt",
        label_bytes=(20, 100),  # coarse, fine
    ),
    label_key="fine_labels",
    names_key="fine_label_names",
    names=tuple(str(label) for label in range(100)),
    whole=(50_000, 10_000),
)


class CIFAR100(CharacterDataModule):
    """CIFAR-100 with its fine labels, from the user's files, pickled or binary, or downloaded into the user's cache.

    Args:
        data_root: ``cifar-100-python`` or ``cifar-100-binary``, the folder that holds it, or the official .tar.gz;
            None to download. A copy with fewer images in its files is read as well, and its records say so.
        batch_size, workers, seed: see CharacterDataModule.

    Raises:
        DataError: a missing or damaged file, one that would run code, or no network.
    """

    def __init__(self, data_root: Path | None = None, batch_size: int = 64, workers: int = 0, seed: int = 0) -> None:
        super().__init__(batch_size, workers, seed)
        self.data_root = None if data_root is None else Path(data_root)

    def prepare_data(self) -> None:
        """Download what is neither given nor in the cache."""
        if self.data_root is None:
            _cifar.fetch(LAYOUT)

    def load(self) -> Splits:
        """Read every file once."""
        return _cifar.read_splits(self.data_root or _cifar.fetch(LAYOUT), LAYOUT)

    def describe(self, splits: Splits) -> DatasetInfo:
        """Facts for records and boards."""
        sizes = {"train": len(splits.train), "val": len(splits.val), "test": len(splits.test)}
        note = _cifar.partial_note(splits, LAYOUT)
        return DatasetInfo("cifar100", len(splits.labels), sizes, SOURCE, LICENCE, SYNTHETIC, note)


def build(settings: DataSettings) -> CIFAR100:
    """The datamodule for a suite."""
    return CIFAR100(settings.data_root)
