"""Reads .gnt files into packed characters of one label space."""

from collections.abc import Sequence
from pathlib import Path

from datamodules._characters import Characters
from datamodules.readers.gnt import gnt_character, read_gnt


def read_characters(files: Sequence[Path], labels: Sequence[str], writers: Sequence[int] | None = None) -> Characters:
    """Read .gnt files of one writer each; characters outside ``labels``, the ordered label space, are dropped.

    ``writers`` is the number of each file's writer, by default the index of the file.

    Raises:
        DataError: a damaged file.
    """
    class_index = {character: label for label, character in enumerate(labels)}
    rows = [
        (record.image, class_index[character], writer)
        for writer, file in zip(range(len(files)) if writers is None else writers, files, strict=True)
        for record in read_gnt(file)
        if (character := gnt_character(record.tag)) in class_index
    ]
    return Characters.pack([row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows])
