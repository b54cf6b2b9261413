"""A folder or zip of images: ``train/CLASS/*.png`` and ``test/CLASS/*.png``, any size, grey, RGB or RGBA."""

from pathlib import Path, PurePosixPath

import numpy as np

from datamodules import DATASETS
from datamodules._base import CharacterDataModule, DatasetInfo, DataSettings, Splits, cut_validation
from datamodules._characters import Characters
from datamodules._errors import DataError
from datamodules.readers.image_tree import LAYOUT_ADVICE, SUFFIXES, entries, read_images

SOURCE = "the user's own images, one folder a class"
LICENCE = "as its owner states"
SYNTHETIC = False
RENAME_ADVICE = "Rename it: that name is another dataset's, or none."


class ImageFolder(CharacterDataModule):
    """Images in folders named by class; the record takes its name from the folder or zip.

    Args:
        data_root: the folder or zip; a single folder inside it that holds ``train`` and ``test`` is entered.
        batch_size, workers, seed: see CharacterDataModule.

    Raises:
        DataError: no such folder, an empty class, classes that differ between train and test, an image that is
            none or is cut short.
    """

    def __init__(self, data_root: Path, batch_size: int = 64, workers: int = 0, seed: int = 0) -> None:
        super().__init__(batch_size, workers, seed)
        self.data_root = Path(data_root)
        self.record_name = record_name(self.data_root)

    def load(self) -> Splits:
        """Decode every image once."""
        if not self.data_root.exists():
            raise DataError(self.data_root, 0, "a folder or zip of images", "nothing there", LAYOUT_ADVICE)
        groups = _by_class(self.data_root)
        labels = _check_classes(self.data_root, groups)
        train = _decode(self.data_root, groups["train"], labels)
        test = _decode(self.data_root, groups["test"], labels)
        rest, val = cut_validation(train)
        return Splits(labels, rest, val, test)

    def describe(self, splits: Splits) -> DatasetInfo:
        """Name after the folder or zip."""
        sizes = {"train": len(splits.train), "val": len(splits.val), "test": len(splits.test)}
        return DatasetInfo(self.record_name, len(splits.labels), sizes, SOURCE, LICENCE, SYNTHETIC)


def build(settings: DataSettings) -> ImageFolder:
    """The datamodule for a suite.

    Raises:
        DataError: without a data root.
    """
    if settings.data_root is None:
        raise DataError("--data-root", 0, "a folder or zip of images", "nothing", LAYOUT_ADVICE)
    return ImageFolder(settings.data_root)


def record_name(data_root: Path) -> str:
    """The name under which a folder's or zip's data stand in records: its own.

    Raises:
        DataError: a name that another dataset has, or none.
    """
    root = data_root.resolve()
    name = root.stem if root.suffix.lower() == ".zip" else root.name
    if not name or name in DATASETS.names():
        raise DataError(root, 0, "a folder or zip whose name can stand in records", f"{name!r}", RENAME_ADVICE)
    return name


def _by_class(root: Path) -> dict[str, dict[str, list[PurePosixPath]]]:
    """Split -> class -> files; classes without a file are kept, so that they can be named."""
    groups: dict[str, dict[str, list[PurePosixPath]]] = {"train": {}, "test": {}}
    for path, is_folder in entries(root):
        parts = path.parts
        start = next((i for i, part in enumerate(parts) if part in groups), len(parts))
        inner = parts[start + 1 :]
        if len(inner) > 1 or (inner and is_folder):
            members = groups[parts[start]].setdefault(inner[0], [])
            if not is_folder and path.suffix.lower() in SUFFIXES:
                members.append(path)
    return groups


def _check_classes(root: Path, groups: dict[str, dict[str, list[PurePosixPath]]]) -> tuple[str, ...]:
    for split, classes in groups.items():
        if not classes:
            raise DataError(root, 0, f"a folder {split}/CLASS with images", "none", LAYOUT_ADVICE)
        for name, files in classes.items():
            if not files:
                raise DataError(f"{root}/{split}/{name}", 0, "at least one image", "an empty class")
    if set(groups["train"]) != set(groups["test"]):
        odd = sorted(set(groups["train"]) ^ set(groups["test"]))
        raise DataError(root, 0, "the same classes in train and test", f"only on one side: {', '.join(odd[:10])}")
    return tuple(sorted(groups["train"]))


def _decode(root: Path, classes: dict[str, list[PurePosixPath]], labels: tuple[str, ...]) -> Characters:
    pairs = [(path, label) for label, name in enumerate(labels) for path in sorted(classes[name])]
    images = list(read_images(root, [path for path, _ in pairs]))
    if any(image.ndim == 3 for image in images):
        images = [image if image.ndim == 3 else np.repeat(image[..., None], 3, 2) for image in images]
    return Characters.pack(images, [label for _, label in pairs])
