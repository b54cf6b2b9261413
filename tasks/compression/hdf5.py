"""Arrays as HDF5 with its transparent gzip: quant-retrain's file, to answer its figures.

Source: quant-retrain, section III.A. The shuffle filter stays off: it makes floats of few values larger. Each array is
one chunk: small ones, such as h5py's own choice, begin without a history to refer to. A ResNet-50 that shrinks by the
printed 52.5 % in whole chunks shrinks by 48.8 % in those. The format is the newest, which finds a single chunk without
the 3 KB of an index.
"""

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from datamodules._errors import DataError
from datamodules._files import whole_file
from tasks.compression.container import Coded
from tasks.compression.packing import decoded

LEVEL = 4  # of gzip: h5py's default; the paper names none
_LEVEL, _FILTER = "gzip_level", "gzip"


@dataclass(frozen=True)
class Filtered:
    """How one array is stored.

    Attributes:
        filter: ``gzip``; None for none.
        level: of the filter.
        shuffled: whether its bytes were put in another order first.
        size: bytes of its chunks, without what the file needs to find them.
    """

    filter: str | None
    level: int | None
    shuffled: bool
    size: int


def write_hdf5(path: Path, arrays: Iterable[tuple[str, NDArray[Any]]], level: int = LEVEL) -> int:
    """Write arrays, whole or not at all; the file says its gzip level.

    Args:
        path: of the file.
        arrays: names and arrays, floats, or codes and their tables; one at a time is held in memory.
        level: of gzip, 0 to 9.

    Returns: bytes of the file.

    Raises:
        ValueError: no such level.
    """
    if not 0 <= level <= 9:
        raise ValueError(f"wanted a gzip level from 0 to 9, got {level}")
    with whole_file(path) as partial:
        with h5py.File(partial, "w", libver="latest") as file:
            file.attrs[_LEVEL] = level
            for name, array in arrays:
                filters = {"compression": _FILTER, "compression_opts": level, "shuffle": False, "chunks": array.shape}
                # A single number has no chunks, and only chunks are compressed.
                file.create_dataset(name, data=array, **(filters if array.size and array.ndim else {}))
        return partial.stat().st_size


def read_hdf5(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a file, in the order of their names.

    Raises:
        DataError: no HDF5 file, cut short or damaged.
    """
    try:
        with h5py.File(path, "r") as file:
            return {name: np.asarray(file[name]) for name in file}
    except FileNotFoundError:
        raise
    except (OSError, KeyError, RuntimeError) as error:  # h5py names no byte but the file's end
        size = path.stat().st_size
        raise DataError(path, size, "a whole HDF5 file", str(error), "Write the file again.") from error


def filters_of(path: Path) -> dict[str, Filtered]:
    """How each array of a file is stored."""
    with h5py.File(path, "r") as file:
        return {
            name: Filtered(data.compression, data.compression_opts, bool(data.shuffle), data.id.get_storage_size())
            for name, data in file.items()
        }


def sizes(tensors: Mapping[str, Coded], level: int = LEVEL) -> dict[str, int]:
    """Bytes of a stored network as such a file: ``codes`` and their tables, or ``floats`` as the paper writes them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.h5"
        return {
            "codes": write_hdf5(path, code_arrays(tensors).items(), level),
            "floats": write_hdf5(path, ((name, decoded(one)) for name, one in tensors.items()), level),
        }


def code_arrays(tensors: Mapping[str, Coded]) -> dict[str, NDArray[Any]]:
    """Stored tensors as arrays of codes, one a byte, and their tables: what gzip is given instead of floats."""
    arrays: dict[str, NDArray[Any]] = {}
    for name, one in tensors.items():
        arrays[f"{name}.table"] = one.table
        if one.bits:
            arrays[f"{name}.codes"] = one.codes
    return arrays
