"""Files in CASIA's record layout as packed characters of one label space."""

from collections.abc import Sequence
from pathlib import Path

from datamodules._characters import Characters
from datamodules.readers.gnt import gnt_character, read_gnt


def read_characters(files: Sequence[Path], labels: Sequence[str], writers: Sequence[int] | None = None) -> Characters:
    """Read .gnt files, one writer a file; characters outside ``labels`` are dropped.

    Args:
        files: paths.
        labels: the label space, in label order.
        writers: number of each file's writer; the files are counted where they are not known.

    Raises:
        DataError: a damaged file.
    """
    number = {character: label for label, character in enumerate(labels)}
    images, kept, wrote = [], [], []
    for writer, file in zip(range(len(files)) if writers is None else writers, files, strict=True):
        for record in read_gnt(file):
            label = number.get(gnt_character(record.tag))
            if label is not None:
                images.append(record.image)
                kept.append(label)
                wrote.append(writer)
    return Characters.pack(images, kept, wrote)
