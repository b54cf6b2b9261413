"""Shui characters: the user's slices of scanned pages, or invented pictographs drawn by a program."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from datamodules import _image
from datamodules._base import CharacterDataModule, DatasetInfo, DataSettings, Splits, cut_validation
from datamodules._characters import Characters
from datamodules._errors import DataError
from datamodules._files import cache_folder, source_hash, whole_file
from datamodules.image_folder import record_name
from datamodules.readers import shui_slices as _shui
from datamodules.readers.shui_slices import SIZE, normalise, quarter, read_slices
from datamodules.synthetic import handwriting as _handwriting
from datamodules.synthetic import motifs as _shui_motifs
from datamodules.synthetic import pen as _pen
from datamodules.synthetic import pictographs as _pictographs
from datamodules.synthetic import strokes as _strokes
from datamodules.synthetic import writer as _hand
from datamodules.synthetic.pictographs import CLASSES, Pictograph, draw_pictograph, pictographs
from datamodules.synthetic_hwdb import writer_numbers

SOURCE = "synthetic: invented pictographs drawn by this suite; not Shui characters, not written by people"
LICENCE = "drawn by this suite, without a font or anything else of others; your own slices: not stated"
SYNTHETIC = True  # without a data root
DRAWN_LICENCE = LICENCE.partition(";")[0]
NOTE = (
    "**Synthetic data**: invented pictographs in the manner of the Shui script, drawn by a program. Neither are they "
    "Shui characters nor did people write them. The accuracies compare systems with each other; they do not say how "
    "well a system reads Shui."
)
OWN_SOURCE = "the user's own slices of scanned pages, one folder per class"
OWN_LICENCE = "not stated: the user's own slices"
# shui-ocr, section 4.2: 50,000 slices of 400 classes, three quarters for training: 94 and 31 of each class.
WRITERS = (94, 31)
_SEED = 0  # of the writers; fixed, because the seed of a run must not change the data
# Changed code gets a new cache folder.
_DRAWN_BY = (_hand, _handwriting, _image, _pen, _pictographs, _shui, _shui_motifs, _strokes)


class SyntheticShui(CharacterDataModule):
    """Invented pictographs, split by synthetic writer: black and white slices of 52×52 pixels.

    Args:
        classes: how many of the 400 pictographs, evenly spaced.
        writers: (train, test) writers; see ``writer_numbers``.
        batch_size, workers, seed: see CharacterDataModule; ``seed`` does not change the slices.

    Raises:
        ValueError: ``classes`` is not between 2 and 400, or a part has no writers.
    """

    def __init__(
        self, classes: int = CLASSES, writers: tuple[int, int] = WRITERS,
        batch_size: int = 64, workers: int = 0, seed: int = 0,
    ) -> None:  # fmt: skip
        super().__init__(batch_size, workers, seed)
        if not 2 <= classes <= CLASSES:
            raise ValueError(f"wanted 2 to {CLASSES} classes, got {classes}")
        self.classes, self.writers = classes, writer_numbers(classes, writers)

    def load(self) -> Splits:
        """Read the slices from the cache; draw those that are missing."""
        signs = [pictographs()[index] for index in np.linspace(0, CLASSES - 1, self.classes).astype(int)]
        folder = cache_folder() / "synthetic_shui" / f"{self.classes}-{drawn_by()}"
        parts = {}
        for part, numbers in self.writers.items():
            slices = [image for number in numbers for image in _slices(folder, signs, number)]
            labels = np.tile(np.arange(self.classes), len(numbers))
            writers = np.repeat(numbers, self.classes)
            parts[part] = Characters.pack(slices, labels.tolist(), writers.tolist())
        return Splits(tuple(sign.name for sign in signs), parts["train"], parts["val"], parts["test"])

    def describe(self, splits: Splits) -> DatasetInfo:
        """Metadata for records and boards."""
        return DatasetInfo("shui", len(splits.labels), splits.sizes, SOURCE, DRAWN_LICENCE, SYNTHETIC, NOTE)


class ShuiSlices(CharacterDataModule):
    """Labelled slices of scanned pages, ``CLASS/*.png``; a quarter of each class is the test part.

    Each slice is centred on a blank square, scaled to 52×52 pixels and binarised. In records the dataset has the name
    of the folder or zip.

    Args:
        data_root: the folder or zip; dark ink on light paper, any size, grey, RGB or RGBA.
        batch_size, workers, seed: see CharacterDataModule; ``seed`` does not change the split.

    Raises:
        DataError: the layout is different, a class has fewer than four slices, or an image is damaged or blank.
    """

    def __init__(self, data_root: Path, batch_size: int = 64, workers: int = 0, seed: int = 0) -> None:
        super().__init__(batch_size, workers, seed)
        self.data_root = Path(data_root)
        self.record_name = record_name(self.data_root)

    def load(self) -> Splits:
        """Read every slice once; three quarters of each class are for training and validation."""
        names, images, labels = read_slices(self.data_root)
        characters, tested = Characters.pack(images, labels), quarter(labels)
        train, val = cut_validation(characters.take(~tested))
        return Splits(names, train, val, characters.take(tested))

    def describe(self, splits: Splits) -> DatasetInfo:
        """Metadata, with the name of the folder or zip."""
        return DatasetInfo(self.record_name, len(splits.labels), splits.sizes, OWN_SOURCE, OWN_LICENCE, False)


def build(settings: DataSettings) -> SyntheticShui | ShuiSlices:
    """The datamodule for a suite: the user's slices if there is a data root, else invented pictographs.

    Raises:
        DataError: the name of the folder is empty or that of another dataset.
        ValueError: ``classes`` is not between 2 and 400, or a part has no writers.
    """
    if settings.data_root is not None:
        return ShuiSlices(settings.data_root)
    return SyntheticShui(settings.classes or CLASSES, settings.writers or WRITERS)


def drawn_by() -> str:
    """The hash of the code that draws the slices: part of the name of their cache folder."""
    return source_hash(*_DRAWN_BY)


def _slices(folder: Path, signs: list[Pictograph], writer: int) -> NDArray[np.uint8]:
    """One writer's slices, uint8 (signs, SIZE, SIZE); drawn unless cached. The cache stores one bit per pixel."""
    path = folder / f"s{writer:04d}.npy"
    if not path.exists():
        drawn = np.stack([normalise(draw_pictograph(sign, writer, _SEED)) for sign in signs])
        with whole_file(path) as partial, partial.open("wb") as file:
            np.save(file, np.packbits(drawn > 0, axis=None))
    try:
        bits: NDArray[np.uint8] = np.unpackbits(np.load(path, allow_pickle=False))
        return bits.reshape(len(signs), SIZE, SIZE) * np.uint8(_image.PAPER)  # 52 × 52 is a multiple of 8
    except (ValueError, EOFError, TypeError) as error:
        advice = "Remove it; it will be drawn again."
        raise DataError(path, 0, f"{len(signs)} packed slices", str(error), advice) from error
