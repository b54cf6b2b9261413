"""Writes whole network files as quant-retrain does, HDF5 with gzip, and caches their sizes.

Without trained weights from the user, the files hold seeded Gaussian weights with He's standard deviation for each
layer, because training changes the gzip ratio little.
"""

import hashlib
import json
import math
import tempfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from bench.audit import compressed_size
from bench.audit.counts import parts_of
from bench.audit.networks import Built
from bench.audit.verdicts import Finding
from bench.records.record import slug_system
from bench.training.pretrained import WeightsError, weights_files
from datamodules._files import sha256, write_whole
from tasks.compression import bits, clustering, container, hdf5
from tasks.compression.hdf5 import LEVEL, filters_of, read_hdf5, write_hdf5

_FLOAT = 4  # bytes
_SOURCES = (bits, container, clustering, hdf5)
Shapes = Mapping[str, tuple[int, ...]]

# Systems that have the claims' networks in ImageNet's shape.
_ALSO = {"vgg16": "torchvision--vgg16", "resnet--50": "torchvision--resnet50"}
_WANTED = "wanted the state dict as torchvision names it, in float32; write it with safetensors.torch.save_file"


@dataclass(frozen=True)
class Weights:
    """Weights of one network: description, key in the cache of sizes, and a tensor's values by name and shape."""

    words: str
    key: str
    array: Callable[[str, Sequence[int]], NDArray[np.float32]]


def gaussian(name: str, shape: Sequence[int]) -> NDArray[np.float32]:
    """Gaussian weights in place of trained ones; the same name and shape give the same values.

    Source: He et al., ICCV 2015: a standard deviation of sqrt(2 / inputs) for weights.
    """
    random = np.random.default_rng(zlib.crc32(name.encode()))
    drawn = random.standard_normal(shape, dtype=np.float32)
    return drawn * np.float32(math.sqrt(2 / math.prod(shape[1:]))) if len(shape) > 1 else np.asarray(drawn)


DRAWN = Weights("seeded Gaussian weights", "", gaussian)


class WeightsFolder:
    """A folder of trained weights: safetensors files named by system, such as ``resnet--50.safetensors``.

    Raises:
        WeightsError: no such file in the folder, or one that is named after no system.
    """

    def __init__(self, folder: Path) -> None:
        self._files = weights_files(folder)
        self._opened: dict[str, tuple[Any, str]] = {}

    def of(self, system: str, shapes: Shapes) -> Weights:
        """Weights from a system's file; Gaussian weights if there is no file.

        Args:
            system: as on the command line; its recipe is ignored.
            shapes: of the network's stored tensors; other tensors of the file, such as counters, are ignored.

        Raises:
            WeightsError: no safetensors file, or a tensor that is missing, of another shape or not in float32.
        """
        name = slug_system(system.split("+")[0])
        path = self._files.get(_ALSO.get(name, "")) or self._files.get(name)
        if path is None:
            return DRAWN
        file, digest = self._open(path)
        names = set(file.keys())
        for name, shape in shapes.items():
            if name not in names:
                raise WeightsError(f"{path}: {_WANTED}; {system} has a tensor {name} {list(shape)}, the file has none")
            tensor = file.get_slice(name)
            if tuple(tensor.get_shape()) != tuple(shape) or tensor.get_dtype() != "F32":
                got = f"{tensor.get_shape()} {tensor.get_dtype()}"
                raise WeightsError(f"{path}: {_WANTED}; {name} of {system} is {list(shape)} F32, in the file {got}")
        return Weights(f"trained weights of {path.name}", digest, lambda name, shape: file.get_tensor(name))

    def _open(self, path: Path) -> tuple[Any, str]:
        """The file, whose tensors are read lazily, and its SHA-256."""
        if path.stem not in self._opened:
            try:
                opened = safe_open(path, framework="numpy")
            except SafetensorError as error:
                raise WeightsError(f"{path}: wanted a safetensors file, got {error}") from error
            self._opened[path.stem] = opened, sha256(path) or ""
        return self._opened[path.stem]


class Files:
    """Sizes of network files; writes a file only if its size is not cached for the same code.

    Args:
        folder: of the cached sizes, one file per version of the code.
        weights: trained weights of some systems; None for Gaussian weights only.
    """

    def __init__(self, folder: Path, weights: WeightsFolder | None = None) -> None:
        self._weights_folder = weights
        self._path = folder / f"storage-{code_hash()[:16]}.json"
        try:
            self._sizes: dict[str, dict[str, int]] = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):  # not written yet, or damaged
            self._sizes = {}

    def shrunk(self, built: Built, check: Mapping[str, Any]) -> Finding:
        """As ``compressed_size.compressed``, but measured on whole files at gzip level LEVEL.

        ``biases: one`` quantises the biases of each layer to one centroid. Other gzip levels, which the paper may have
        used, widen the range, estimated from a sample of the weights (of the largest layer, if they are trained).

        Raises:
            WeightsError: trained weights that do not fit this network.
        """
        numbers = check["clusters"] if isinstance(check["clusters"], list) else [check["clusters"]]
        shapes = shapes_of(built)
        below = {id(module) for part in parts_of(built, check) for module in part.modules()}
        inside = {name for name, module in built.network.named_modules() if id(module) in below}
        layers = [name for name, shape in shapes.items() if len(shape) > 1 and name.rpartition(".")[0] in inside]
        values = self._weights(built)
        ones = {name: 1 for name in shapes if check.get("biases") == "one" and _is_bias(name, shapes)}
        total = _FLOAT * sum(map(math.prod, shapes.values()))
        bounds = dict.fromkeys([numbers[0], min(numbers), max(numbers)])  # more clusters never make a smaller file
        sizes = [self.size(shapes, {name: int(number) for name in layers} | ones, values) for number in bounds]
        savings = [100 * (1 - size / total) for size in sizes]
        sample = None
        if values is not DRAWN and layers:
            largest = max(layers, key=lambda name: math.prod(shapes[name]))
            sample = values.array(largest, shapes[largest])
        sampled = compressed_size.compressed(built, check, sample)
        low, high = min(sampled.low or 0.0, *savings), max(sampled.high or 0.0, *savings)
        why = (
            f"{sampled.why}. A whole HDF5 file (gzip level {LEVEL}, one chunk per array, {values.words}) "
            f"with {numbers[0]} clusters takes {sizes[0]:,} of {total:,} bytes"
        )
        return replace(sampled, computed=round(savings[0], 2), why=why, low=round(low, 2), high=round(high, 2))

    def stated(self, built: Built, check: Mapping[str, Any]) -> Finding:
        """Write a layer with its ``clusters`` and read it back: whether HDF5 stored it with the check's ``filter``."""
        name = f"{check['layers'][0]}.weight"
        shapes, values = shapes_of(built), self._weights(built)
        array = clustering.equal_population(values.array(name, shapes[name]), check["clusters"]).weights
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "layer.h5"
            write_hdf5(path, [(name, array)])
            stored, (back,) = filters_of(path)[name], read_hdf5(path).values()
        holds = stored.filter == check["filter"] and np.array_equal(back, array)
        words = f"{stored.filter} level {stored.level}" if stored.filter else "no filter"
        why = f"{name} ({values.words}), written and read back: {words}, {stored.size:,} bytes"
        return Finding(None, why, holds=holds)

    def size(self, shapes: Shapes, clustered: Mapping[str, int], values: Weights) -> int:
        """Bytes of a network's file; ``clustered`` gives the number of clusters of the named tensors.

        Computed from the size of the file without clusters and the size of each clustered array: HDF5 compresses arrays
        separately, and its index does not change. A few bytes of padding may differ.
        """
        plain = self._cached("plain", shapes, 0, values)
        size = plain[""]
        for name, clusters in clustered.items():
            array = self._cached(f"{name} {shapes[name]}", {name: shapes[name]}, clusters, values)
            size += array[str(clusters)] - plain[name]
        return size

    def _weights(self, built: Built) -> Weights:
        return DRAWN if self._weights_folder is None else self._weights_folder.of(built.system, shapes_of(built))

    def _cached(self, what: str, shapes: Shapes, clusters: int, values: Weights) -> dict[str, int]:
        """Sizes of one array by number of clusters; for 0 clusters: of each array by name, and of the file by ""."""
        key = f"{what} {hashlib.sha256(repr(sorted(shapes.items())).encode()).hexdigest()[:16]} {values.key}"
        if (str(clusters) if clusters else "") not in self._sizes.get(key, {}):
            sizes = _written_sizes(shapes, clusters, values)
            if clusters:
                (name,) = shapes
                sizes = {str(clusters): sizes[name]}
            self._sizes[key] = self._sizes.get(key, {}) | sizes
            write_whole(self._path, json.dumps(self._sizes, indent=1).encode())
        return self._sizes[key]


def code_hash() -> str:
    """SHA-256 of the code and the library versions that sizes depend on."""
    paths = [Path(str(module.__file__)) for module in _SOURCES]
    texts = [path.read_bytes() for path in (*paths, Path(__file__))]
    versions = (np.__version__, h5py.version.version, h5py.version.hdf5_version)
    return hashlib.sha256(b"\0".join([*texts, repr(versions).encode()])).hexdigest()


def shapes_of(built: Built) -> dict[str, tuple[int, ...]]:
    """Shapes of a network's floating-point tensors by name, so without batch counters."""
    state = built.network.state_dict()
    return {name: tuple(value.shape) for name, value in state.items() if value.is_floating_point()}


def _written_sizes(shapes: Shapes, clusters: int, values: Weights) -> dict[str, int]:
    """Size of each array by name, and of the file by ""; 0 clusters: unclustered weights."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.h5"
        arrays = ((name, _clustered(values.array(name, shape), clusters)) for name, shape in shapes.items())
        size = write_hdf5(path, arrays)
        return {"": size, **{name: stored.size for name, stored in filters_of(path).items()}}


def _clustered(weights: NDArray[np.float32], clusters: int) -> NDArray[np.float32]:
    if not clusters:
        return weights
    # ``coarser`` computes the means: a difference in their last bits would change the compressed sizes.
    return clustering.coarser(weights, clustering.equal_population(weights, clusters), clusters).weights


def _is_bias(name: str, shapes: Shapes) -> bool:
    return name.endswith("bias") and len(shapes.get(f"{name.removesuffix('bias')}weight", ())) > 1
