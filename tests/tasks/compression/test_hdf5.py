"""The paper's files: floats, or codes, in HDF5 with gzip."""

from pathlib import Path

import numpy as np
import pytest

from datamodules._errors import DataError
from tasks.compression.clustering import equal_population
from tasks.compression.codecs.centroid import Settings, coded, encode
from tasks.compression.hdf5 import Filtered, code_arrays, filters_of, read_hdf5, sizes, write_hdf5


def clustered(clusters: int) -> np.ndarray:
    weights = np.random.default_rng(0).standard_normal((400, 500)).astype(np.float32)
    return equal_population(weights, clusters).weights


def test_arrays_come_back_and_the_filters_are_as_stated(tmp_path: Path) -> None:
    path = tmp_path / "net.h5"
    arrays = {"fc.weight": clustered(32), "fc.bias": np.arange(5, dtype=np.float32), "scale": np.float32(2)}
    size = write_hdf5(path, [(name, np.asarray(array)) for name, array in arrays.items()], level=4)
    assert size == path.stat().st_size
    found = read_hdf5(path)
    assert all(np.array_equal(found[name], array) for name, array in arrays.items())
    stored = filters_of(path)
    assert stored["fc.weight"] == Filtered("gzip", 4, False, stored["fc.weight"].size)
    assert stored["scale"] == Filtered(None, None, False, 4)
    assert 0 < size - sum(one.size for one in stored.values()) < 10_000


def test_fewer_clusters_make_smaller_files_and_equal_arrays_equal_ones(tmp_path: Path) -> None:
    sizes = [write_hdf5(tmp_path / "net.h5", [("w", clustered(k))]) for k in (1, 16, 256)]
    assert sizes[0] < sizes[1] / 20
    assert sizes[1] < sizes[2] < 0.5 * 400 * 500 * 4
    first = (tmp_path / "net.h5").read_bytes()
    write_hdf5(tmp_path / "net.h5", [("w", clustered(256))])
    assert (tmp_path / "net.h5").read_bytes() == first


def test_codes_take_less_than_floats(tmp_path: Path) -> None:
    weights = np.random.default_rng(0).standard_normal((400, 500)).astype(np.float32)
    one = coded(equal_population(weights, 16))
    codes = write_hdf5(tmp_path / "codes.h5", code_arrays({"w": one}).items())
    floats = write_hdf5(tmp_path / "floats.h5", [("w", clustered(16))])
    assert sizes({"w": one}) == {"codes": codes, "floats": floats}
    assert codes < floats
    assert sorted(read_hdf5(tmp_path / "codes.h5")) == ["w.codes", "w.table"]
    kept = code_arrays(encode({"fc.weight": weights, "fc.bias": weights[0]}, Settings(clusters=1)))
    assert sorted(kept) == ["fc.bias.table", "fc.weight.table"]  # one cluster needs no codes


def test_what_is_no_whole_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.h5"
    write_hdf5(path, [("w", clustered(16))])
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match=r"net\.h5: byte \d+: wanted a whole HDF5 file, got .*truncated"):
        read_hdf5(path)
    path.write_bytes(b"no HDF5")
    with pytest.raises(DataError, match="byte 7: wanted a whole HDF5 file"):
        read_hdf5(path)
    with pytest.raises(ValueError, match="gzip level from 0 to 9, got 10"):
        write_hdf5(path, [], level=10)
    assert path.read_bytes() == b"no HDF5"
