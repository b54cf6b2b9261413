"""A trained network as a packed file, and back."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from math import prod
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from datamodules._errors import DataError
from tasks.building import outlined
from tasks.compression.container import HEADER_AT, RAW, Coded, from_bytes, is_packed, kept, to_bytes
from tasks.compression.folding import Network, folded
from tasks.compression.storage import CODECS, Storage, parse_storage
from tasks.normalised import Normalised

__all__ = [
    "Packed", "Quantised", "as_stored", "check_layers", "decoded", "is_packed", "pack", "pack_quantised", "quantise",
    "tensors_of", "unpack",
]  # fmt: skip

_UNSTORED = "num_batches_tracked"  # batch normalisation counts batches while it trains; answers do not need it


@dataclass(frozen=True)
class Packed:
    """A network as bytes.

    Attributes:
        content: of the file.
        entropy_bytes: what tables, ideally coded codes and everything kept would take, without a header.
        numbers: how many are stored.
    """

    content: bytes
    entropy_bytes: int
    numbers: int


@dataclass(frozen=True)
class Quantised:
    """A network on its way into a file: its codes are settled, and what has none may still learn.

    Attributes:
        network: its quantised tensors hold exactly what their codes say.
        coded: every tensor as it was stored when the codes were found.
        channels, size: of its input.
    """

    network: Normalised
    coded: Mapping[str, Coded]
    channels: int
    size: int

    @property
    def frozen(self) -> frozenset[str]:
        """Names of the quantised tensors, which must not change any more."""
        return frozenset(name for name, one in self.coded.items() if one.kind != RAW)


def pack(network: nn.Module, storage: Storage, architecture: str, classes: int, channels: int, size: int) -> Packed:
    """A trained network in a way to store it; equal weights give equal bytes.

    Args:
        network: uint8 images -> logits, on the CPU; it is set to eval mode.
        storage: how.
        architecture: ``name`` or ``name:variant``; stands in the file.
        classes: size of the label space; stands in the file.
        channels: of its input.
        size: of its input, side in pixels.

    Raises:
        ValueError: weights that cannot be stored this way; names the layer.
    """
    tensors = tensors_of(as_stored(network, storage, channels, size))
    return _packed(encode(tensors, storage), storage, architecture, classes)


def quantise(network: Normalised, storage: Storage, channels: int, size: int) -> Quantised:
    """A copy of a trained network whose weights are what its file would say; arguments as for ``pack``."""
    copied = copy.deepcopy(as_stored(network, storage, channels, size))
    copied.network.to(memory_format=copied.layout)
    coded = encode(tensors_of(copied), storage)
    _fill(copied, coded)
    return Quantised(copied, coded, channels, size)


def pack_quantised(quantised: Quantised, storage: Storage, architecture: str, classes: int) -> Packed:
    """A quantised network as bytes: the codes as they were found, everything else as it is now.

    Args:
        quantised: its network on the CPU.
        storage: how it was quantised.
        architecture: ``name`` or ``name:variant``; stands in the file.
        classes: size of the label space; stands in the file.

    Raises:
        ValueError: a quantised tensor that is no longer what its codes say; names it.
    """
    coded = dict(quantised.coded)
    for name, tensor in tensors_of(quantised.network).items():
        one = coded[name]
        if one.kind == RAW:
            coded[name] = kept(tensor)
        elif not np.array_equal(decoded(one), tensor):
            raise ValueError(f"{name}: wanted the weights that its codes say, got others: quantised tensors are frozen")
    return _packed(coded, storage, architecture, classes)


def as_stored(network: Network, storage: Storage, channels: int, size: int) -> Network:
    """The network whose tensors a storage codes, in eval mode: itself, or a copy with its normalisation folded."""
    network = network.eval()
    return folded(network, _any_image(channels, size)) if storage.settings.folded else network


def tensors_of(network: nn.Module) -> dict[str, NDArray[np.float32]]:
    """What is stored of a network on the CPU, by the names of its state dict; its memory is shared.

    Raises:
        ValueError: numbers that are not float32; names the tensor.
    """
    tensors: dict[str, NDArray[np.float32]] = {}
    for name, value in network.state_dict().items():
        if name.endswith(_UNSTORED):
            continue
        if value.dtype != torch.float32:
            raise ValueError(f"{name}: wanted float32 to pack, got {value.dtype}; store this network unpacked")
        tensors[name] = value.detach().contiguous().numpy()
    return tensors


def encode(tensors: Mapping[str, NDArray[np.float32]], storage: Storage) -> dict[str, Coded]:
    """A network's tensors as the storage's codec encodes them.

    Raises:
        ValueError: weights that cannot be stored this way, or a budget without the settings that it chooses.
    """
    try:
        coded: dict[str, Coded] = CODECS.load(storage.codec).encode(tensors, storage.settings)
    except ValueError as error:
        raise ValueError(f"{storage.name}: {error}") from error
    return coded


def check_layers(architecture: str, classes: int, storage: Storage) -> None:
    """Refuse a storage of named layers that an architecture does not have; no weights are needed.

    Raises:
        ValueError: no layer of that name, or none that would be smaller; names those that there are.
    """
    network = outlined(architecture, classes)
    if network is not None and storage.settings.layers:
        shapes = {name: tensor.shape for name, tensor in network.state_dict().items()}
        tensors = {name: np.broadcast_to(np.float32(0), shape) for name, shape in shapes.items()}
        try:
            CODECS.load(storage.codec).check_layers(tensors, storage.settings)
        except ValueError as error:
            raise ValueError(f"{storage.name}: {error}") from error


def unpack(path: Path, network: Normalised, architecture: str, classes: int, channels: int, size: int) -> Normalised:
    """A network with the weights of a packed file, in eval mode.

    Args:
        path: of the file.
        network: of the architecture, with any weights; those of the file replace them.
        architecture: ``name`` or ``name:variant``.
        classes: size of the label space.
        channels: of its input.
        size: of its input, side in pixels.

    Raises:
        DataError: no packed file, cut short, damaged, or of another architecture or label space; names the byte.
    """
    about, coded = from_bytes(path.read_bytes(), path)
    named = {"architecture": architecture, "classes": classes}
    if {key: about.get(key) for key in named} != named:
        found = f"{about.get('architecture')} with {about.get('classes')} classes"
        raise DataError(path, HEADER_AT, f"a network {architecture} with {classes} classes", found)
    storage = parse_storage(str(about.get("storage")))
    if storage is None or any(one.kind not in (RAW, *_decoders()) for one in coded.values()):
        raise DataError(path, HEADER_AT, "a known storage", str(about.get("storage")), "Pack the network again.")
    if storage.settings.folded:
        network = folded(network.eval(), _any_image(channels, size))
        network.network.to(memory_format=network.layout)
    state = network.state_dict()
    wanted = {name: tuple(value.shape) for name, value in state.items() if not name.endswith(_UNSTORED)}
    stored = {name: one.shape for name, one in coded.items()}
    if wanted != stored:
        other = sorted(dict(wanted.items() ^ stored.items()))
        raise DataError(path, HEADER_AT, f"the tensors of {architecture}", f"others: {', '.join(other)}")
    try:
        _fill(network, coded)
    except (ValueError, IndexError) as error:
        raise DataError(path, HEADER_AT, "codes with a meaning", str(error), "Pack the network again.") from error
    return network


def decoded(stored: Coded) -> NDArray[np.float32]:
    """The weights that a tensor's codes stand for."""
    if stored.kind == RAW:
        return stored.table.reshape(stored.shape)
    return _decoders()[stored.kind](stored)


@cache
def _decoders() -> Mapping[str, Callable[[Coded], NDArray[np.float32]]]:
    """What decodes each kind of quantised tensors."""
    codecs = [CODECS.load(name) for name in CODECS.names()]
    return {kind: codec.decode for codec in codecs for kind in codec.KINDS}


def _fill(network: nn.Module, coded: Mapping[str, Coded]) -> None:
    """Give a network the tensors that are stored."""
    arrays = {name: torch.from_numpy(decoded(one)) for name, one in coded.items()}
    network.load_state_dict({**network.state_dict(), **arrays})


def _packed(coded: Mapping[str, Coded], storage: Storage, architecture: str, classes: int) -> Packed:
    about = {"architecture": architecture, "classes": classes, "storage": storage.name}
    numbers = sum(prod(one.shape) for one in coded.values())
    entropy = sum(one.entropy_bytes for one in coded.values())
    return Packed(to_bytes(about, coded), round(entropy), numbers)


def _any_image(channels: int, size: int) -> Tensor:
    """Noise, the same each time: by it folding learns what follows what."""
    random = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (1, channels, size, size), dtype=torch.uint8, generator=random)
