"""Reads and writes networks as gzip-compressed HDF5, the file format of quant-retrain, to check its figures.

Source: quant-retrain, section III.A. The shuffle filter stays off: it enlarges floats that take only a few values. Each
array is one chunk, because every chunk is compressed separately: a ResNet-50 that shrinks by the printed 52.5 % in
whole chunks shrinks by 48.8 % in the small chunks that h5py chooses. The newest file version saves 3 KB of chunk index.
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
    """How one array is stored."""

    filter: str | None  # ``gzip`` or None
    level: int | None  # of the filter
    shuffled: bool  # whether the shuffle filter reordered its bytes first
    size: int  # bytes of its chunks, without the file's metadata


def write_hdf5(path: Path, arrays: Iterable[tuple[str, NDArray[Any]]], level: int = LEVEL) -> int:
    """Write named arrays, one in memory at a time; an error leaves no file. The file states its gzip level, 0 to 9.

    Returns: bytes of the file.

    Raises:
        ValueError: a level outside 0 to 9.
    """
    if not 0 <= level <= 9:
        raise ValueError(f"wanted a gzip level from 0 to 9, got {level}")
    with whole_file(path) as partial:
        with h5py.File(partial, "w", libver="latest") as file:
            file.attrs[_LEVEL] = level
            for name, array in arrays:
                filters = {"compression": _FILTER, "compression_opts": level, "shuffle": False, "chunks": array.shape}
                # A scalar has no chunks, and only chunks are compressed.
                file.create_dataset(name, data=array, **(filters if array.size and array.ndim else {}))
        return partial.stat().st_size


def read_hdf5(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a file, sorted by name.

    Raises:
        DataError: not an HDF5 file, truncated or damaged.
    """
    try:
        with h5py.File(path, "r") as file:
            return {name: np.asarray(file[name]) for name in file}
    except FileNotFoundError:
        raise
    except (OSError, KeyError, RuntimeError) as error:  # h5py does not say at which byte: report the file's end
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
    """Bytes of a stored network as HDF5: as ``codes`` with their tables, and as ``floats``, as in the paper."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.h5"
        return {
            "codes": write_hdf5(path, code_arrays(tensors).items(), level),
            "floats": write_hdf5(path, ((name, decoded(tensor)) for name, tensor in tensors.items()), level),
        }


def code_arrays(tensors: Mapping[str, Coded]) -> dict[str, NDArray[Any]]:
    """Tables and codes (one per byte) of stored tensors, to be written instead of floats."""
    arrays: dict[str, NDArray[Any]] = {}
    for name, tensor in tensors.items():
        arrays[f"{name}.table"] = tensor.table
        if tensor.bits:
            arrays[f"{name}.codes"] = tensor.codes
    return arrays
