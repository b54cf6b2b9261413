"""Writes large .gnt files quickly: repeats a few hundred synthetic characters."""

from itertools import cycle, islice
from pathlib import Path

import cv2
import numpy as np

from datamodules.readers.gnt import read_gnt, write_gnt
from datamodules.synthetic.handwriting import write_synthetic_writer
from datamodules.synthetic_hwdb import spread

CHARACTERS = 200  # drawn once; their content does not affect the measurements
PER_FILE = 3755  # about the characters per writer in HWDB1.1
FIRST_WRITER, TEST_WRITERS = 1001, 1  # numbered as HWDB1.1's


def write_repeated(root: Path, records: int, side: int | None = None) -> int:
    """Write the folders of HWDB1.1 with synthetic characters; the last file is the test part.

    Images are ``side`` × ``side`` pixels; with None they keep their native size, about 4 kB per record.
    Returns: the number of records: at least ``records``, in whole files.
    """
    drawn = write_synthetic_writer(root / "drawn", spread(CHARACTERS), 1, seed=0)
    characters = [(record.tag, record.image) for record in read_gnt(drawn)]
    if side is not None:
        characters = [(tag, np.asarray(cv2.resize(image, (side, side)), np.uint8)) for tag, image in characters]
    write_gnt(drawn, islice(cycle(characters), PER_FILE))
    content = drawn.read_bytes()
    drawn.unlink()
    drawn.parent.rmdir()
    files = max(2, -(-records // PER_FILE))
    for number in range(files):
        part = "HWDB1.1tst_gnt" if number >= files - TEST_WRITERS else "HWDB1.1trn_gnt"
        (root / part).mkdir(parents=True, exist_ok=True)
        (root / part / f"{FIRST_WRITER + number}-c.gnt").write_bytes(content)
    return files * PER_FILE
