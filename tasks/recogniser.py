"""A network with its preprocessing: what latency, export and recognition use."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor, nn

from datamodules._files import write_whole
from datamodules._image import fit_matrix, resample, with_channels
from tasks.building import built, outlined
from tasks.compression.packing import is_packed, unpack
from tasks.early_exits.cascade import EarlyExits, cascade_of
from tasks.early_exits.policy import ExitPolicy


class Recogniser:
    """One character in, class probabilities out; a network with early exits skips what its policy lets it skip.

    Attributes:
        data_dependent_cost: whether characters differ in cost.

    Args:
        network: uint8 (B, channels, size, size) -> logits (B, classes); in eval mode.
        channels: 1 or 3.
        size: side of the network's input in pixels.
    """

    def __init__(self, network: nn.Module, channels: int, size: int) -> None:
        self.network = network.eval()
        self.channels = channels
        self.size = size
        self._exits = None if cascade_of(network) is None else EarlyExits(network)
        self.data_dependent_cost = self._exits is not None and len(self._exits.exit_stages) > 1

    def preprocess(self, image: NDArray[np.uint8]) -> Tensor:
        """A native-size character, uint8 (h, w) or (h, w, 3), as input, uint8 (1, C, size, size)."""
        image = with_channels(image, self.channels)
        square = resample(image, fit_matrix(image.shape[0], image.shape[1], self.size), self.size)
        planes = square[None] if square.ndim == 2 else np.ascontiguousarray(square.transpose(2, 0, 1))
        return torch.from_numpy(planes)[None]

    def with_policy(self, policy: ExitPolicy) -> "Recogniser":
        """The same network, from now on with this exit policy.

        Raises:
            TypeError: a network without early exits.
            ValueError: a policy of other heads.
        """
        cascade = cascade_of(self.network)
        if cascade is None:
            raise TypeError(f"wanted a network with early exits, got {type(self.network).__name__} without them")
        cascade.policy = policy
        return Recogniser(self.network, self.channels, self.size)

    @torch.inference_mode()
    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities, float32 (classes,), of one native-size character."""
        images = self.preprocess(image)
        found = torch.softmax(self.network(images), 1) if self._exits is None else self._exits(images)[0]
        return found[0].numpy()


def load_recogniser(architecture: str, classes: int, weights: Path) -> Recogniser:
    """The recogniser of an architecture variant with stored weights, on the CPU.

    Args:
        architecture: ``name`` or ``name:variant``.
        classes: size of the label space.
        weights: safetensors file of ``Normalised(network)`` or of the network inside, such as torchvision's, or a
            packed one.

    Raises:
        ValueError: the file is no safetensors file, or holds the weights of another architecture.
        DataError: the same of a packed file; names the byte.
    """
    network, channels, size = built(architecture, classes)
    if is_packed(weights):
        return Recogniser(unpack(weights, network, architecture, classes, channels, size), channels, size)
    try:
        tensors = _named_alike(load_file(weights), network)
    except SafetensorError as error:
        raise ValueError(f"{weights}: wanted a safetensors file, got {error}") from error
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        why = _differences(network.state_dict(), tensors) or " ".join(str(error).split())
        raise ValueError(f"{weights}: not the weights of {architecture} with {classes} classes: {why}") from error
    return Recogniser(network, channels, size)


def check_weights(architecture: str, classes: int, weights: Path) -> None:
    """Refuse weights of another network, by the names and shapes in a safetensors file's header alone.

    Args:
        architecture: ``name`` or ``name:variant``.
        classes: size of the label space.
        weights: the file.

    Raises:
        ValueError: the file is no safetensors file, or holds the weights of another architecture.
    """
    try:
        with safe_open(weights, framework="pt") as file:
            names = file.keys()
            shapes = {name: torch.empty(file.get_slice(name).get_shape(), device="meta") for name in names}
    except SafetensorError as error:
        raise ValueError(f"{weights}: wanted a safetensors file, got {error}") from error
    network = outlined(architecture, classes)
    if network is None:
        return
    learnt = dict(network.named_parameters())  # counters and exits may be left out, or stored in an older form
    found = {name: shape for name, shape in _named_alike(shapes, network).items() if name in learnt}
    why = _differences(learnt, found)
    if why:
        raise ValueError(f"{weights}: not the weights of {architecture} with {classes} classes: {why}")


def save_weights(network: nn.Module, path: Path, metadata: Mapping[str, str] | None = None) -> None:
    """Write a network's weights and buffers as safetensors, and what they are of, whole or not at all.

    Equal weights and words give equal bytes.
    """
    tensors = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
    write_whole(path, _ordered(save(tensors, dict(metadata))) if metadata else save(tensors))


def _named_alike(tensors: Mapping[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    """Tensors of a network or of one inside it, by the names of the outer one."""
    wanted, inside = network.state_dict(), "network."
    places = ("", inside, 2 * inside)
    prefix = max(places, key=lambda place: sum(f"{place}{name}" in wanted for name in tensors))
    return {f"{prefix}{name}": tensor for name, tensor in tensors.items()}


def _differences(wanted: Mapping[str, Tensor], tensors: Mapping[str, Tensor]) -> str:
    """In what stored tensors are not those of a network, by the first example of each kind; empty where they are."""
    shapes = [
        f"{name} is {_shape(tensors[name])} instead of {_shape(value)}"
        for name, value in wanted.items()
        if name in tensors and tensors[name].shape != value.shape
    ]
    kinds = {
        "": shapes,
        "it lacks ": [name for name in wanted if name not in tensors],
        "it has also ": [name for name in tensors if name not in wanted],
    }
    return ", ".join(
        word + found[0] + (f" (and {len(found) - 1} more)" if len(found) > 1 else "")
        for word, found in kinds.items()
        if found
    )


def _shape(tensor: Tensor) -> str:
    return "×".join(map(str, tensor.shape)) or "a number"


def _ordered(content: bytes) -> bytes:
    """A safetensors file with its metadata in the order of their names: the library writes them in any order."""
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # the format aligns what follows
    return len(text).to_bytes(8, "little") + text + content[8 + length :]
