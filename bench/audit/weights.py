"""Weights that stand in the files of claims: trained ones where the user gives them, else seeded Gaussian ones."""

import math
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from bench.records.record import slug_system
from bench.training.pretrained import WeightsError, digest, weights_files

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
            self._opened[path.stem] = opened, digest(path)
        return self._opened[path.stem]
