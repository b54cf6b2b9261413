"""Synthetic handwriting: GB2312 characters drawn by synthetic writers, stored as CASIA .gnt files."""

import hashlib
import logging
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from datamodules._base import VALIDATION_LEAST, CharacterDataModule, DatasetInfo, DataSettings, Splits
from datamodules._files import cache_folder, source_hash
from datamodules.readers.gb2312 import LEVEL1
from datamodules.readers.gnt import read_characters
from datamodules.synthetic import glyphs as _glyphs
from datamodules.synthetic import handwriting as _handwriting
from datamodules.synthetic import pen as _pen
from datamodules.synthetic import skeleton as _skeleton
from datamodules.synthetic import strokes as _strokes
from datamodules.synthetic import writer as _hand
from datamodules.synthetic.glyphs import BUILT_IN, Glyphs

SOURCE = "drawn by this suite from OpenCV's built-in font; not written by people"
# The font's name and licence stand in the font itself, which OpenCV 5 holds.
LICENCE = 'drawn by this suite from the font WenQuanYi Micro Hei, OpenCV\'s "uni" (Apache License 2.0)'
SYNTHETIC = True
WRITERS = (240, 60)  # as many as HWDB1.1
MANY = 20_000  # characters to draw, 15 seconds of one core: worth starting processes
_GIVEN: list[Any] = []  # folder, characters and glyphs, in a process that draws: glyphs are large, so they travel once
_LOG = logging.getLogger(__name__)
_SEED = 0  # of the writers; fixed, because the seed of a run must not change the data
# The writer numbers of the parts are far apart, so that parts of any size do not overlap.
_FIRST_WRITER = {"train": 1, "val": 100_001, "test": 200_001}


class SyntheticHWDB(CharacterDataModule):
    """Level-1 characters of GB2312 in synthetic handwriting, split by writer; ``seed`` does not change them.

    Args:
        classes: how many of the 3,755 characters, evenly spaced in GB2312 order; or the characters, in label order.
        writers: (train, test) writers; see ``writer_numbers``.
        glyphs: the sources that the writers follow.
    """

    def __init__(
        self, classes: int | Sequence[str] = len(LEVEL1), writers: tuple[int, int] = WRITERS,
        batch_size: int = 64, workers: int = 0, seed: int = 0, glyphs: Glyphs = BUILT_IN,
    ) -> None:  # fmt: skip
        super().__init__(batch_size, workers, seed)
        self.glyphs = glyphs
        self.characters = spread(classes) if isinstance(classes, int) else tuple(classes)
        if len(self.characters) < 2:
            raise ValueError(f"wanted at least 2 classes, got {len(self.characters)}")
        self.writers = writer_numbers(len(self.characters), writers)

    @property
    def folder(self) -> Path:
        """The cache folder of the writers' files."""
        return writers_folder(self.characters, self.glyphs)

    def prepare_data(self) -> None:
        """Write the .gnt files that are not yet in the cache."""
        numbers = [number for numbers in self.writers.values() for number in numbers]
        missing = [number for number in numbers if not (self.folder / _handwriting.file_name(number)).exists()]
        draw_writers(self.folder, self.characters, missing, self.glyphs)

    def load(self) -> Splits:
        """Write the missing files, then read all."""
        self.prepare_data()
        parts = {
            part: read_characters([self.folder / _handwriting.file_name(w) for w in numbers], self.characters, numbers)
            for part, numbers in self.writers.items()
        }
        return Splits(self.characters, parts["train"], parts["val"], parts["test"])

    def describe(self, splits: Splits) -> DatasetInfo:
        """Metadata for records and boards."""
        return DatasetInfo("synthetic_hwdb", len(splits.labels), splits.sizes, SOURCE, LICENCE, SYNTHETIC)


def build(settings: DataSettings) -> SyntheticHWDB:
    """The datamodule for a suite; raises ValueError with a data root, because this dataset is embedded."""
    if settings.data_root is not None:
        raise ValueError("synthetic_hwdb is embedded and takes no --data-root; did you mean --dataset image_folder?")
    return SyntheticHWDB(settings.classes or len(LEVEL1), settings.writers or WRITERS)


def writer_numbers(classes: int, writers: tuple[int, int]) -> dict[str, range]:
    """The numbers of the synthetic writers of each part; each writer writes every class once.

    Validation has its own writers: a tenth as many as train, or enough for the latency measurement.

    Args:
        classes: number of classes.
        writers: number of (train, test) writers.

    Raises:
        ValueError: a part has no writers.
    """
    if min(writers) < 1:
        raise ValueError(f"wanted at least one writer in train and in test, got {writers}")
    validation = max(-(-VALIDATION_LEAST // classes), writers[0] // 10)
    counts = {"train": writers[0], "val": validation, "test": writers[1]}
    return {part: range(first, first + counts[part]) for part, first in _FIRST_WRITER.items()}


def spread(classes: int) -> tuple[str, ...]:
    """This many level-1 characters, evenly spaced in GB2312 order.

    Raises:
        ValueError: ``classes`` is not between 1 and 3,755.
    """
    if not 1 <= classes <= len(LEVEL1):
        raise ValueError(f"wanted 1 to {len(LEVEL1)} classes, got {classes}")
    return tuple(LEVEL1[i] for i in np.linspace(0, len(LEVEL1) - 1, classes).astype(int))


def draw_writers(folder: Path, characters: Sequence[str], writers: Sequence[int], glyphs: Glyphs) -> None:
    """Write the .gnt files of synthetic writers, on all cores if there are many characters."""
    for name, lacking in glyphs.missing(characters).items() if writers else ():  # reads all sources, once
        _LOG.info("%s lacks %d of %d characters; the built-in font replaces them", name, len(lacking), len(characters))
    if len(writers) * len(characters) < MANY or (os.cpu_count() or 1) < 2:
        for writer in writers:
            _handwriting.write_synthetic_writer(folder, characters, writer, _SEED, glyphs=glyphs)
        return
    given = folder, characters, glyphs
    with ProcessPoolExecutor(mp_context=get_context("spawn"), initializer=_GIVEN.extend, initargs=(given,)) as pool:
        list(pool.map(_write, writers))


def _write(writer: int) -> None:
    folder, characters, glyphs = _GIVEN
    _handwriting.write_synthetic_writer(folder, characters, writer, _SEED, glyphs=glyphs)


def writers_folder(characters: Sequence[str], glyphs: Glyphs = BUILT_IN) -> Path:
    """The cache folder for these characters; its name contains a hash of the code and the glyphs that draw them."""
    chosen = hashlib.sha256("".join(characters).encode()).hexdigest()[:8]
    sources = f"-{glyphs.digest}" if glyphs.digest else ""
    return cache_folder() / "synthetic_hwdb" / f"{len(characters)}-{chosen}-{drawn_by()}{sources}"


def drawn_by() -> str:
    """The hash of the code that draws the characters."""
    return source_hash(_glyphs, _hand, _handwriting, _pen, _skeleton, _strokes)
