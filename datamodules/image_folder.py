"""A folder or zip of images: ``train/CLASS/*.png`` and ``test/CLASS/*.png``, any size, grey, RGB or RGBA."""

from pathlib import Path, PurePosixPath

from datamodules import DATASETS
from datamodules._base import CharacterDataModule, DatasetInfo, DataSettings, Splits, cut_validation
from datamodules._characters import Characters
from datamodules._errors import DataError
from datamodules.readers.image_tree import LAYOUT_ADVICE, SUFFIXES, entries, read_images

SOURCE = "the user's own images, one folder a class"
LICENCE = "not stated: the user's own images"
SYNTHETIC = False
RENAME_ADVICE = "Rename it: that name is another dataset's, or none."


class ImageFolder(CharacterDataModule):
    """Images in one folder per class; in records the dataset has the name of the folder or zip.

    Args:
        data_root: the folder or zip; ``train`` and ``test`` may also be inside a single folder in it.

    Raises:
        DataError: the folder is missing, a class is empty, train and test have different classes, or an image is
            damaged or not an image.
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
        train, val = cut_validation(_decode(self.data_root, groups["train"], labels))
        return Splits(labels, train, val, _decode(self.data_root, groups["test"], labels))

    def describe(self, splits: Splits) -> DatasetInfo:
        """Metadata, with the name of the folder or zip."""
        return DatasetInfo(self.record_name, len(splits.labels), splits.sizes, SOURCE, LICENCE, SYNTHETIC)


def build(settings: DataSettings) -> ImageFolder:
    """The datamodule for a suite; raises DataError without a data root."""
    return ImageFolder(settings.require_data_root("a folder or zip of images", LAYOUT_ADVICE))


def record_name(data_root: Path) -> str:
    """The dataset name of a folder or zip in records: its own name.

    Raises:
        DataError: the name is empty or that of another dataset.
    """
    root = data_root.resolve()
    name = root.stem if root.suffix.lower() == ".zip" else root.name
    if not name or name in DATASETS.names():
        raise DataError(root, 0, "a folder or zip whose name can stand in records", f"{name!r}", RENAME_ADVICE)
    return name


def _by_class(root: Path) -> dict[str, dict[str, list[PurePosixPath]]]:
    """Split -> class -> files; empty classes are kept for the error message."""
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
    return Characters.pack(read_images(root, [path for path, _ in pairs]), [label for _, label in pairs])
