"""Packs trained networks into compressed files, and unpacks them."""

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
from tasks.compression.codecs._base import error_prefix
from tasks.compression.container import HEADER_AT, RAW, Coded, from_bytes, raw, to_bytes
from tasks.compression.container import is_packed as is_packed
from tasks.compression.folding import Network, folded
from tasks.compression.storage import CODECS, Storage, parse_storage
from tasks.normalised import Normalised

_UNSTORED = "num_batches_tracked"  # batch normalisation counts training batches; inference does not need the count


@dataclass(frozen=True)
class Packed:
    """A packed network."""

    content: bytes  # of the file
    entropy_bytes: int  # of tables, raw tensors and codes under an ideal entropy coder, without a header
    numbers: int  # how many values are stored


@dataclass(frozen=True)
class Quantised:
    """A quantised network before it is packed: its codes are fixed, its float32 tensors can still be trained."""

    network: Normalised  # its quantised tensors hold exactly the decoded values
    coded: Mapping[str, Coded]  # every tensor as it was encoded
    channels: int  # of the input
    size: int  # side of the input in pixels

    @property
    def frozen(self) -> frozenset[str]:
        """Names of the quantised tensors, which must not change."""
        return frozenset(name for name, tensor in self.coded.items() if tensor.kind != RAW)


def pack(network: nn.Module, storage: Storage, architecture: str, classes: int, channels: int, size: int) -> Packed:
    """Pack a trained network; equal weights give equal bytes.

    Args:
        network: uint8 images -> logits, on the CPU; it is set to eval mode.
        storage: how to store it.
        architecture: ``name`` or ``name:variant``, written to the file.
        classes: size of the label space, written to the file.
        channels: of the input.
        size: side of the input in pixels.

    Raises:
        ValueError: weights that cannot be stored this way; names the layer.
    """
    tensors = tensors_of(as_stored(network, storage, channels, size))
    return _packed(encode(tensors, storage), storage, architecture, classes)


def quantise(network: Normalised, storage: Storage, channels: int, size: int) -> Quantised:
    """A copy of a trained network with quantised weights; arguments as for ``pack``."""
    copied = copy.deepcopy(as_stored(network, storage, channels, size))
    copied.network.to(memory_format=copied.layout)
    coded = encode(tensors_of(copied), storage)
    _fill(copied, coded)
    return Quantised(copied, coded, channels, size)


def pack_quantised(quantised: Quantised, storage: Storage, architecture: str, classes: int) -> Packed:
    """Pack a quantised network, on the CPU: its codes, and the present values of all other tensors.

    The remaining arguments are those of ``pack``.

    Raises:
        ValueError: a quantised tensor no longer equals its codes; names it.
    """
    coded = dict(quantised.coded)
    for name, tensor in tensors_of(quantised.network).items():
        if coded[name].kind == RAW:
            coded[name] = raw(tensor)
        elif not np.array_equal(decoded(coded[name]), tensor):
            raise ValueError(f"{name}: wanted the weights of its codes, got others: quantised tensors must not change")
    return _packed(coded, storage, architecture, classes)


def as_stored(network: Network, storage: Storage, channels: int, size: int) -> Network:
    """The network whose tensors are stored, in eval mode: itself, or a copy with batch normalisation folded."""
    network = network.eval()
    return folded(network, _any_image(channels, size)) if storage.settings.folded else network


def tensors_of(network: nn.Module) -> dict[str, NDArray[np.float32]]:
    """The tensors of a network on the CPU that are stored, by name; they share its memory.

    Raises:
        ValueError: a tensor is not float32; names it.
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
    """Encode the tensors of a network by the codec of a storage.

    Raises:
        ValueError: weights that cannot be stored this way, or settings with ``within`` that are not chosen yet.
    """
    with error_prefix(storage.name):
        coded: dict[str, Coded] = CODECS.load(storage.codec).encode(tensors, storage.settings)
    return coded


def check_layers(architecture: str, classes: int, storage: Storage) -> None:
    """Check that an architecture has the layers that a storage names, without creating weights.

    Raises:
        ValueError: no such layer, or none that would become smaller; lists the layers of the network.
    """
    network = outlined(architecture, classes)
    if network is not None and storage.settings.layers:
        shapes = {name: tensor.shape for name, tensor in network.state_dict().items()}
        tensors = {name: np.broadcast_to(np.float32(0), shape) for name, shape in shapes.items()}
        with error_prefix(storage.name):
            CODECS.load(storage.codec).check_layers(tensors, storage.settings)


def unpack(path: Path, network: Normalised, architecture: str, classes: int, channels: int, size: int) -> Normalised:
    """Replace the weights of a network, in eval mode, by those of a packed file; other arguments as for ``pack``.

    Returns: the network, or a copy if the storage folds batch normalisation.

    Raises:
        DataError: not a packed file, truncated, damaged, or of another architecture or label space; names the byte.
    """
    metadata, coded = from_bytes(path.read_bytes(), path)
    if (metadata.get("architecture"), metadata.get("classes")) != (architecture, classes):
        actual = f"{metadata.get('architecture')} with {metadata.get('classes')} classes"
        raise DataError(path, HEADER_AT, f"a network {architecture} with {classes} classes", actual)
    storage = parse_storage(str(metadata.get("storage")))
    if storage is None or any(tensor.kind not in (RAW, *_decoders()) for tensor in coded.values()):
        raise DataError(path, HEADER_AT, "a known storage", str(metadata.get("storage")), "Pack the network again.")
    if storage.settings.folded:
        network = folded(network.eval(), _any_image(channels, size))
        network.network.to(memory_format=network.layout)
    state = network.state_dict()
    wanted = {name: tuple(value.shape) for name, value in state.items() if not name.endswith(_UNSTORED)}
    stored = {name: tensor.shape for name, tensor in coded.items()}
    if wanted != stored:
        different = sorted(dict(wanted.items() ^ stored.items()))
        raise DataError(path, HEADER_AT, f"the tensors of {architecture}", f"others: {', '.join(different)}")
    try:
        _fill(network, coded)
    except (ValueError, IndexError) as error:
        raise DataError(path, HEADER_AT, "codes that can be decoded", str(error), "Pack the network again.") from error
    return network


def decoded(stored: Coded) -> NDArray[np.float32]:
    """The weights of a stored tensor."""
    if stored.kind == RAW:
        return stored.table.reshape(stored.shape)
    return _decoders()[stored.kind](stored)


@cache
def _decoders() -> Mapping[str, Callable[[Coded], NDArray[np.float32]]]:
    """The decoding function of each kind of quantised tensor."""
    codecs = [CODECS.load(name) for name in CODECS.names()]
    return {kind: codec.decode for codec in codecs for kind in codec.KINDS}


def _fill(network: nn.Module, coded: Mapping[str, Coded]) -> None:
    """Load stored tensors into a network."""
    arrays = {name: torch.from_numpy(decoded(tensor)) for name, tensor in coded.items()}
    network.load_state_dict({**network.state_dict(), **arrays})


def _packed(coded: Mapping[str, Coded], storage: Storage, architecture: str, classes: int) -> Packed:
    metadata = {"architecture": architecture, "classes": classes, "storage": storage.name}
    numbers = sum(prod(tensor.shape) for tensor in coded.values())
    entropy = sum(tensor.entropy_bytes for tensor in coded.values())
    return Packed(to_bytes(metadata, coded), round(entropy), numbers)


def _any_image(channels: int, size: int) -> Tensor:
    """The same random image each time, from which folding learns the order of layers."""
    random = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (1, channels, size, size), dtype=torch.uint8, generator=random)
