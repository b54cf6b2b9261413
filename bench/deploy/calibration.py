"""Keeps the characters that int8 is calibrated on beside a row's exported files, so that a file can be made again."""

import io
from pathlib import Path

import numpy as np

from datamodules._characters import Characters
from datamodules._errors import DataError
from datamodules._files import write_whole

CALIBRATION = "calibration.npz"
_MOST_BYTES = 1 << 26  # of pixels; large photographs are not kept
_ARRAYS = ("pixels", *Characters.PER_IMAGE)


def write_calibration(path: Path, characters: Characters) -> None:
    """Write the characters atomically, unless they take more than 64 MiB."""
    if characters.pixels.nbytes > _MOST_BYTES:
        return
    buffer = io.BytesIO()
    np.savez_compressed(buffer, channels=characters.channels, **{name: getattr(characters, name) for name in _ARRAYS})
    write_whole(path, buffer.getvalue())


def read_calibration(path: Path) -> Characters:
    """Read the characters of ``write_calibration``.

    Raises: DataError: another or a damaged file.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return Characters(**{name: stored[name] for name in _ARRAYS}, channels=int(stored["channels"]))
    except (OSError, ValueError, KeyError, EOFError, io.UnsupportedOperation) as error:
        raise DataError(path, 0, "the characters of a run", str(error), "Run the row again with --fresh.") from error
