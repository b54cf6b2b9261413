"""Sizes of whole files: networks of claims written as quant-retrain writes them, HDF5 with gzip, each once.

Where the user gives no trained weights, seeded Gaussian ones, He's width for each layer, stand for them; training
changes what gzip makes of them little.
"""

import hashlib
import json
import math
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from bench.audit import compressed_size as clusters
from bench.audit.counts import parts_of
from bench.audit.networks import Built
from bench.audit.verdicts import Finding
from bench.records.record import slug_system
from bench.training.pretrained import WeightsError, weights_files
from datamodules._files import sha256, write_whole
from tasks.compression import bits as _bits
from tasks.compression import clustering, hdf5
from tasks.compression import container as _container
from tasks.compression.hdf5 import LEVEL, filters_of, read_hdf5, write_hdf5

_FLOAT = 4  # bytes
_SOURCES = (_bits, _container, clustering, hdf5)
Shapes = Mapping[str, tuple[int, ...]]

# Claims are about these networks in ImageNet's shape, whose own systems are these.
_ALSO = {"vgg16": "torchvision--vgg16", "resnet--50": "torchvision--resnet50"}
_WANTED = "wanted the state dict as torchvision names it, in float32; write it with safetensors.torch.save_file"


@dataclass(frozen=True)
class Weights:
    """Of one network.

    Attributes:
        words: what a finding says of them.
        key: tells them from others in what is remembered; empty for drawn ones.
        array: a tensor's values by its name and shape.
    """

    words: str
    key: str
    array: Callable[[str, Sequence[int]], NDArray[np.float32]]


def gaussian(name: str, shape: Sequence[int]) -> NDArray[np.float32]:
    """Weights that stand for trained ones, the same for the same name and shape.

    Source: He et al., ICCV 2015: a standard deviation of sqrt(2 / inputs) for weights.
    """
    random = np.random.default_rng(zlib.crc32(name.encode()))
    drawn = random.standard_normal(shape, dtype=np.float32)
    return drawn * np.float32(math.sqrt(2 / math.prod(shape[1:]))) if len(shape) > 1 else np.asarray(drawn)


DRAWN = Weights("seeded Gaussian weights", "", gaussian)


class WeightsFolder:
    """Trained weights by the systems that their files are named after, such as ``resnet--50.safetensors``.

    Args:
        folder: of safetensors files; no other is read.

    Raises:
        WeightsError: there is none in it, or one that is named after no system.
    """

    def __init__(self, folder: Path) -> None:
        self._files = weights_files(folder)
        self._opened: dict[str, tuple[Any, str]] = {}

    def of(self, system: str, shapes: Shapes) -> Weights:
        """Those of a system's file; drawn ones where there is none.

        Args:
            system: as on the command line; its recipe changes nothing here.
            shapes: of what the network stores. Other tensors of the file, such as counters, are left alone.

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
            found = file.get_slice(name)
            if tuple(found.get_shape()) != tuple(shape) or found.get_dtype() != "F32":
                got = f"{found.get_shape()} {found.get_dtype()}"
                raise WeightsError(f"{path}: {_WANTED}; {name} of {system} is {list(shape)} F32, in the file {got}")
        return Weights(f"trained weights of {path.name}", digest, lambda name, shape: file.get_tensor(name))

    def _open(self, path: Path) -> tuple[Any, str]:
        """The file, whose tensors are read when they are asked for, and its SHA-256."""
        if path.stem not in self._opened:
            try:
                opened = safe_open(path, framework="numpy")
            except SafetensorError as error:
                raise WeightsError(f"{path}: wanted a safetensors file, got {error}") from error
            self._opened[path.stem] = opened, sha256(path) or ""
        return self._opened[path.stem]


class Files:
    """Writes files where no earlier run of the same code has, and remembers their sizes.

    Args:
        folder: of what is remembered, one file for each state of the code.
        given: trained weights of some systems; None where all are drawn.
    """

    def __init__(self, folder: Path, given: WeightsFolder | None = None) -> None:
        self._given = given
        self._path = folder / f"storage-{code_hash()[:16]}.json"
        try:
            self._sizes: dict[str, dict[str, int]] = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):  # not written yet, or damaged
            self._sizes = {}

    def shrunk(self, built: Built, check: Mapping[str, Any]) -> Finding:
        """As ``clusters.compressed``, its figure that of whole files at gzip level LEVEL.

        ``biases: one`` sets those of all layers to one centroid each. Other levels, which the paper might have used,
        widen the range by what a sample of weights shows: of the largest layer, where they are trained.

        Raises:
            WeightsError: given weights that are not this network's.
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
        found = [100 * (1 - size / total) for size in sizes]
        sampled = clusters.compressed(built, check, _sample(layers, shapes, values))
        low, high = min(sampled.low or 0.0, *found), max(sampled.high or 0.0, *found)
        why = (
            f"{sampled.why}; written whole, HDF5 with gzip level {LEVEL}, an array in one chunk, "
            f"{values.words}: {numbers[0]} clusters take {sizes[0]:,} of {total:,} bytes"
        )
        return replace(sampled, computed=round(found[0], 2), why=why, low=round(low, 2), high=round(high, 2))

    def stated(self, built: Built, check: Mapping[str, Any]) -> Finding:
        """Whether a layer in so many ``clusters``, written and read back, was stored by the ``filter`` of the check."""
        name = f"{check['layers'][0]}.weight"
        shapes, values = shapes_of(built), self._weights(built)
        array = clustering.equal_population(values.array(name, shapes[name]), check["clusters"]).weights
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "layer.h5"
            write_hdf5(path, [(name, array)])
            stored, (back,) = filters_of(path)[name], read_hdf5(path).values()
        holds = stored.filter == check["filter"] and np.array_equal(back, array)
        words = f"{stored.filter} level {stored.level}" if stored.filter else "no filter"
        why = f"{name}, {values.words}, written and read back: {words}, {stored.size:,} bytes"
        return Finding(None, why, holds=holds)

    def size(self, shapes: Shapes, clustered: Mapping[str, int], values: Weights) -> int:
        """Bytes of a network's file, the named tensors in so many clusters each.

        Arrays are compressed apart and what a file needs to find them does not change with them, so the size follows
        from that of the file without clusters, and of each array with them, but for a few bytes of padding.
        """
        plain = self._remembered("plain", shapes, {}, values)
        size = plain[""]
        for name, number in clustered.items():
            wanted = self._remembered(f"{name} {shapes[name]}", {name: shapes[name]}, {name: number}, values)
            size += wanted[str(number)] - plain[name]
        return size

    def _weights(self, built: Built) -> Weights:
        return DRAWN if self._given is None else self._given.of(built.system, shapes_of(built))

    def _remembered(self, what: str, shapes: Shapes, clustered: Mapping[str, int], values: Weights) -> dict[str, int]:
        """Sizes of all arrays of a plain file and, by an empty name, its own; or of one array by its clusters."""
        key = f"{what} {hashlib.sha256(repr(sorted(shapes.items())).encode()).hexdigest()[:16]} {values.key}"
        missing = [str(number) for number in clustered.values() if str(number) not in self._sizes.get(key, {})]
        if missing or key not in self._sizes:
            numbers = [int(number) for number in missing]
            made = _clustered(shapes, numbers, values) if clustered else _plain(shapes, values)
            self._sizes[key] = self._sizes.get(key, {}) | made
            write_whole(self._path, json.dumps(self._sizes, indent=1).encode())
        return self._sizes[key]


def code_hash() -> str:
    """SHA-256 of the code and of the libraries' versions that sizes depend on."""
    paths = [Path(str(module.__file__)) for module in _SOURCES]
    texts = [path.read_bytes() for path in (*paths, Path(__file__))]
    versions = (np.__version__, h5py.version.version, h5py.version.hdf5_version)
    return hashlib.sha256(b"\0".join([*texts, repr(versions).encode()])).hexdigest()


def shapes_of(built: Built) -> dict[str, tuple[int, ...]]:
    """Shapes of all stored numbers of a network by their names; counters of batches are none."""
    state = built.network.state_dict()
    return {name: tuple(value.shape) for name, value in state.items() if value.is_floating_point()}


def _sample(layers: Sequence[str], shapes: Shapes, values: Weights) -> NDArray[np.float32] | None:
    """Trained weights of the largest of these layers; None for drawn ones, of which there is a sample already."""
    if values is DRAWN or not layers:
        return None
    largest = max(layers, key=lambda name: math.prod(shapes[name]))
    return values.array(largest, shapes[largest])


def _plain(shapes: Shapes, values: Weights) -> dict[str, int]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plain.h5"
        size = write_hdf5(path, ((name, values.array(name, shape)) for name, shape in shapes.items()))
        return {"": size, **{name: stored.size for name, stored in filters_of(path).items()}}


def _clustered(shapes: Shapes, numbers: Sequence[int], values: Weights) -> dict[str, int]:
    """Sizes of one array by its clusters."""
    ((name, shape),) = shapes.items()
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "layer.h5"
        for number, array in _arrays(values.array(name, shape), numbers):
            write_hdf5(path, [(name, array)])
            found[str(number)] = filters_of(path)[name].size
    return found


def _arrays(weights: NDArray[np.float32], numbers: Sequence[int]) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """The weights in so many clusters each, sorted once."""
    fine = clustering.equal_population(weights, max(numbers))
    for number in numbers:
        yield number, clustering.coarser(weights, fine, number).weights


def _is_bias(name: str, shapes: Shapes) -> bool:
    return name.endswith("bias") and len(shapes.get(f"{name.removesuffix('bias')}weight", ())) > 1
