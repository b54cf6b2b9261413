"""Weights that stand in the files of claims: trained ones where the user gives them, else seeded Gaussian ones."""

import hashlib
import math
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from bench.plugins import systems
from bench.record import slug_system
from datamodules._errors import BenchError

Shapes = Mapping[str, tuple[int, ...]]

_ENDING = ".safetensors"
_WANTED = "wanted the state dict as torchvision names it, in float32; write it with safetensors.torch.save_file"


class WeightsError(BenchError):
    """The user's weights are not those of the network they are named after; names file and tensor."""


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
        known = {slug_system(system): system for system in systems()}
        self._files = {path.stem: path for path in sorted(folder.glob(f"*{_ENDING}"))}
        self._opened: dict[str, tuple[Any, str]] = {}
        form = f"files named by system, such as resnet--50{_ENDING} and vgg16{_ENDING}"
        if not self._files:
            there = ", ".join(sorted(path.name for path in folder.iterdir())[:5]) if folder.is_dir() else "no folder"
            raise WeightsError(f"{folder}: wanted {form}, got {there or 'an empty folder'}; no pickle is read")
        for name, path in self._files.items():
            if name not in known:
                raise WeightsError(f"{path}: wanted {form}, got no system's name; see: bench list systems")

    def of(self, system: str, shapes: Shapes) -> Weights:
        """Those of a system's file; drawn ones where there is none.

        Args:
            system: as on the command line; its recipe changes nothing here.
            shapes: of what the network stores. Other tensors of the file, such as counters, are left alone.

        Raises:
            WeightsError: no safetensors file, or a tensor that is missing, of another shape or not in float32.
        """
        path = self._files.get(slug_system(system.split("+")[0]))
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
            with path.open("rb") as file:
                self._opened[path.stem] = opened, hashlib.file_digest(file, "sha256").hexdigest()
        return self._opened[path.stem]
