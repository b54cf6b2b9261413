"""Large .gnt files made cheaply for comparisons: a few hundred synthetic characters, again and again."""

from pathlib import Path

import cv2
import numpy as np

from datamodules.readers.gnt import gnt_character, read_gnt, write_gnt
from datamodules.synthetic.handwriting import write_synthetic_writer
from datamodules.synthetic_hwdb import spread

CHARACTERS = 200  # drawn once; what is measured does not look at them
PER_FILE = 3755  # HWDB1.1: about as many characters a writer
FIRST_WRITER, TEST_WRITERS = 1001, 1  # numbered as HWDB1.1's


def write_repeated(root: Path, records: int, side: int | None = None) -> int:
    """Official folders of HWDB1.1 with synthetic characters; the last file is the test part.

    Args:
        root: the data root to make.
        records: in all, to the next whole file.
        side: pixels a side that characters are shrunk to; None for native size, about 4 kB a record.

    Returns: the number of records.
    """
    drawn = write_synthetic_writer(root / "drawn", spread(CHARACTERS), 1, seed=0)
    once = [(record.tag, record.image) for record in read_gnt(drawn)]
    drawn.unlink()
    drawn.parent.rmdir()
    if side is not None:
        once = [(tag, np.asarray(cv2.resize(image, (side, side)), np.uint8)) for tag, image in once]
    assert all(gnt_character(tag) for tag, _ in once)
    one = root / "one"
    write_gnt(one, (once[i % len(once)] for i in range(PER_FILE)))
    content = one.read_bytes()
    one.unlink()
    files = max(2, -(-records // PER_FILE))
    for number in range(files):
        part = "HWDB1.1tst_gnt" if number >= files - TEST_WRITERS else "HWDB1.1trn_gnt"
        (root / part).mkdir(parents=True, exist_ok=True)
        (root / part / f"{FIRST_WRITER + number}-c.gnt").write_bytes(content)
    return files * PER_FILE
