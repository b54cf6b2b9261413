"""Trains on synthetic handwriting only, tests on real characters."""

from pathlib import Path

from datamodules._base import CharacterDataModule, DatasetInfo, DataSettings, Splits
from datamodules._errors import DataError
from datamodules.readers.gb2312 import LEVEL1
from datamodules.readers.real_characters import WANTED, RealCharacters, read_real_characters
from datamodules.synthetic.glyphs import BUILT_IN, Glyphs, find_glyphs
from datamodules.synthetic_hands import licence
from datamodules.synthetic_hwdb import SyntheticHWDB, spread

SOURCE = "training part drawn by this suite, test part the user's real characters"
LICENCE = "training part: drawn from the font WenQuanYi Micro Hei (Apache License 2.0); test part: not stated"
SYNTHETIC = True
GLYPHS = True  # takes --glyphs
TESTED_ON_REAL = True  # neither drawn nor real characters alone
NOTE = "Learned from **synthetic** characters alone, which a program drew; tested on real handwriting."
CLASSES = 100  # or more, if the test part has more
WRITERS = 200  # synthetic training writers


class SyntheticToReal(CharacterDataModule):
    """Synthetic characters for training and validation, real characters for the test.

    Args:
        data_root: a folder with .gnt files at any depth, or a folder or zip of images whose class folders are named
            by their characters, of which the test part is read; characters outside GB2312 level 1 are the unknown ones.
        classes: number of classes: the characters in the test part, filled up evenly from level 1.
        writers: number of synthetic training writers.
        glyphs: the sources that the synthetic writers follow.

    Raises:
        DataError: there are no characters of level 1, or a file is damaged.
    """

    def __init__(
        self, data_root: Path, classes: int = CLASSES, writers: int = WRITERS,
        batch_size: int = 64, workers: int = 0, seed: int = 0, glyphs: Glyphs = BUILT_IN,
    ) -> None:  # fmt: skip
        super().__init__(batch_size, workers, seed)
        self.data_root, self.classes, self.writers, self.glyphs = Path(data_root), classes, writers, glyphs

    def load(self) -> Splits:
        """Read the real test characters, then draw the training characters."""
        real = read_real_characters(self.data_root)
        labels = _label_space(self.data_root, real, self.classes)
        drawn = SyntheticHWDB(labels, (self.writers, 1), glyphs=self.glyphs).load()
        return Splits(labels, drawn.train, drawn.val, real.labelled(labels), unknown=real.outside(LEVEL1))

    def describe(self, splits: Splits) -> DatasetInfo:
        """Metadata for records and boards; with glyphs of the user, the name says so and what the test part is."""
        name, terms = "synthetic_to_real", LICENCE
        if self.glyphs.sources:
            root = self.data_root.resolve()
            place = root.stem if root.suffix.lower() == ".zip" else root.name
            name, terms = f"synthetic_hands-to-{place}", licence(self.glyphs)
        return DatasetInfo(name, len(splits.labels), splits.sizes, SOURCE, terms, SYNTHETIC, NOTE)


def build(settings: DataSettings) -> SyntheticToReal:
    """The datamodule for a suite; all of level 1 where the scale sets no number of classes.

    Raises:
        DataError: no data root, or a folder without glyphs.
    """
    root = settings.require_data_root(WANTED)
    glyphs = find_glyphs(settings.glyphs) if settings.glyphs else BUILT_IN
    if settings.classes is None and settings.writers is not None:
        return SyntheticToReal(root, len(LEVEL1), settings.writers[0], glyphs=glyphs)
    return SyntheticToReal(root, glyphs=glyphs)


def _label_space(root: Path, real: RealCharacters, classes: int) -> tuple[str, ...]:
    """The tested characters of level 1, filled up evenly to ``classes``, in GB2312 order."""
    tested = set(real.characters) & set(LEVEL1)
    if not tested:
        raise DataError(root, 0, "characters of GB2312 level 1", "none")
    others = [c for c in spread(min(classes + len(tested), len(LEVEL1))) if c not in tested]
    return tuple(sorted({*tested, *others[: max(0, classes - len(tested))]}, key=LEVEL1.index))
