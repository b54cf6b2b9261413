"""CIFAR-10: 50,000 training and 10,000 test photographs of ten kinds of things, 32×32 in colour."""

from pathlib import Path

from datamodules import _cifar
from datamodules._base import CharacterDataModule, DatasetInfo, DataSettings, Splits

SOURCE = "A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, technical report, 2009"
LICENCE = "none stated; its author asks that the report be cited"
SYNTHETIC = False
# https://www.cs.toronto.edu/~kriz/cifar.html, "Dataset layout", and the files themselves.
LAYOUT = _cifar.Layout(
    title="CIFAR-10",
    torchvision="CIFAR10",
    python=_cifar.Form(
        "cifar-10-batches-py", tuple(f"data_batch_{n}" for n in range(1, 6)), ("test_batch",), "batches.meta"
    ),
    binary=_cifar.Form(
        "cifar-10-batches-bin",
        tuple(f"data_batch_{n}.bin" for n in range(1, 6)),
        ("test_batch.bin",),
        "batches.meta.txt",
        label_bytes=(10,),
    ),
    label_key="labels",
    names_key="label_names",
    names=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
    whole=(50_000, 10_000),
)


class CIFAR10(CharacterDataModule):
    """CIFAR-10 from the user's files, pickled or binary, or downloaded into the user's cache.

    Args:
        data_root: ``cifar-10-batches-py`` or ``cifar-10-batches-bin``, the folder that holds it, or the official
            .tar.gz; None to download. A copy with fewer images in its files is read as well, and its records say so.
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
        return DatasetInfo("cifar10", len(splits.labels), sizes, SOURCE, LICENCE, SYNTHETIC, note)


def build(settings: DataSettings) -> CIFAR10:
    """The datamodule for a suite."""
    return CIFAR10(settings.data_root)
