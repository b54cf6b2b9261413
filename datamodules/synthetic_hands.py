"""Synthetic handwriting in the hands of fonts and pen strokes that the user brings."""

from datamodules._base import DatasetInfo, DataSettings, Splits
from datamodules._errors import UsageError
from datamodules.readers.gb2312 import LEVEL1
from datamodules.synthetic.glyphs import ADVICE, Glyphs, find_glyphs
from datamodules.synthetic_hwdb import WRITERS, SyntheticHWDB

SOURCE = "drawn by this suite from fonts and pen strokes; not written by people"
LICENCE = "drawn by this suite; the licences of the fonts and stroke data apply"
SYNTHETIC = True
GLYPHS = True  # takes --glyphs


class SyntheticHands(SyntheticHWDB):
    """As SyntheticHWDB; each writer follows a handwriting font, true pen strokes, or the built-in font."""

    def describe(self, splits: Splits) -> DatasetInfo:
        """Metadata for records and boards."""
        return DatasetInfo("synthetic_hands", len(splits.labels), splits.sizes, SOURCE, licence(self.glyphs), SYNTHETIC)


def build(settings: DataSettings) -> SyntheticHands:
    """The datamodule for a suite.

    Raises:
        UsageError: no glyphs.
        ValueError: a data root, which this dataset does not take.
        DataError: a folder without glyphs, or a damaged file.
    """
    if settings.data_root is not None:
        raise ValueError("synthetic_hands takes --glyphs, no --data-root; did you mean --dataset synthetic_to_real?")
    if not settings.glyphs:
        raise UsageError(f"synthetic_hands needs --glyphs, a folder of fonts and stroke data. {ADVICE}")
    glyphs = find_glyphs(settings.glyphs)
    return SyntheticHands(settings.classes or len(LEVEL1), settings.writers or WRITERS, glyphs=glyphs)


def licence(glyphs: Glyphs) -> str:
    """The licence of characters that these sources give."""
    names = ", ".join(source.name for source in glyphs.sources)
    return f"drawn by this suite from WenQuanYi Micro Hei (Apache License 2.0), and by the licences of {names}"
