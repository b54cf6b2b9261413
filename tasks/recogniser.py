"""Recogniser: a trained network with its preprocessing, from one character image to class probabilities.

Also loads, checks and saves weights files (safetensors or packed).
"""

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
    """Classifies one character image of any size; a network with early exits follows its exit policy.

    Attributes:
        data_dependent_cost: whether the cost differs between characters, because they may leave at different exits.

    Args:
        network: uint8 (B, channels, size, size) -> logits (B, classes); put into eval mode.
        channels: of the network's input, 1 or 3.
        size: side of the network's input in pixels.
    """

    def __init__(self, network: nn.Module, channels: int, size: int) -> None:
        self.network, self.channels, self.size = network.eval(), channels, size
        self._exits = None if cascade_of(network) is None else EarlyExits(network)
        self.data_dependent_cost = self._exits is not None and len(self._exits.exit_stages) > 1

    def preprocess(self, image: NDArray[np.uint8]) -> Tensor:
        """Resize a character image, uint8 (h, w) or (h, w, 3), to the network's input, uint8 (1, C, size, size)."""
        image = with_channels(image, self.channels)
        square = resample(image, fit_matrix(image.shape[0], image.shape[1], self.size), self.size)
        planes = square[None] if square.ndim == 2 else np.ascontiguousarray(square.transpose(2, 0, 1))
        return torch.from_numpy(planes)[None]

    def with_policy(self, policy: ExitPolicy) -> "Recogniser":
        """Set the network's exit policy; returns a new recogniser of the same network.

        Raises: TypeError: a network without early exits. ValueError: a policy for other heads.
        """
        cascade = cascade_of(self.network)
        if cascade is None:
            raise TypeError(f"wanted a network with early exits, got {type(self.network).__name__} without them")
        cascade.policy = policy
        return Recogniser(self.network, self.channels, self.size)

    @torch.inference_mode()
    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Class probabilities, float32 (classes,), of one character image, uint8 (h, w) or (h, w, 3)."""
        images = self.preprocess(image)
        probabilities = torch.softmax(self.network(images), 1) if self._exits is None else self._exits(images)[0]
        return probabilities[0].numpy()


def load_recogniser(architecture: str, classes: int, weights: Path) -> Recogniser:
    """Load weights into an architecture, on the CPU.

    Args:
        architecture: ``name`` or ``name:variant``.
        classes: number of classes.
        weights: a safetensors file of ``Normalised(network)`` or of the inner network (such as torchvision's), or a
            packed file.

    Raises:
        ValueError: not a safetensors file, or the weights of another architecture.
        DataError: a damaged packed file, or one of another architecture; names the byte.
    """
    network, channels, size = built(architecture, classes)
    if is_packed(weights):
        return Recogniser(unpack(weights, network, architecture, classes, channels, size), channels, size)
    try:
        tensors = renamed(load_file(weights), network)
    except SafetensorError as error:
        raise ValueError(f"{weights}: wanted a safetensors file, got {error}") from error
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        why = _differences(network.state_dict(), tensors) or " ".join(str(error).split())
        raise ValueError(f"{weights}: not the weights of {architecture} with {classes} classes: {why}") from error
    return Recogniser(network, channels, size)


def check_weights(architecture: str, classes: int, weights: Path) -> None:
    """Check by a safetensors file's header alone that its weights fit; arguments as for ``load_recogniser``.

    Raises: ValueError: not a safetensors file, or the weights of another architecture.
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
    # Parameters alone: counters and exit policies may be missing, or stored in an older form.
    parameters = dict(network.named_parameters())
    stored = {name: shape for name, shape in renamed(shapes, network).items() if name in parameters}
    why = _differences(parameters, stored)
    if why:
        raise ValueError(f"{weights}: not the weights of {architecture} with {classes} classes: {why}")


def save_weights(network: nn.Module, path: Path, metadata: Mapping[str, str] | None = None) -> None:
    """Write a network's weights and buffers with metadata atomically as safetensors; equal input gives equal bytes."""
    tensors = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
    write_whole(path, _ordered(save(tensors, dict(metadata))) if metadata else save(tensors))


def renamed(tensors: Mapping[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    """Tensors of a network or of its inner network, renamed to match ``network``."""
    wanted = network.state_dict()
    prefixes = ("", "network.", "network.network.")
    prefix = max(prefixes, key=lambda one: sum(f"{one}{name}" in wanted for name in tensors))
    return {f"{prefix}{name}": tensor for name, tensor in tensors.items()}


def _differences(wanted: Mapping[str, Tensor], tensors: Mapping[str, Tensor]) -> str:
    """How stored tensors differ from a network's, with the first example of each kind; empty if they match."""
    shapes = [
        f"{name} is {_shape(tensors[name])} instead of {_shape(value)}"
        for name, value in wanted.items()
        if name in tensors and tensors[name].shape != value.shape
    ]
    lacking, extra = ([name for name in a if name not in b] for a, b in ((wanted, tensors), (tensors, wanted)))
    return ", ".join(
        text + examples[0] + (f" (and {len(examples) - 1} more)" if len(examples) > 1 else "")
        for text, examples in (("", shapes), ("it lacks ", lacking), ("it has also ", extra))
        if examples
    )


def _shape(tensor: Tensor) -> str:
    return "×".join(map(str, tensor.shape)) or "a number"


def _ordered(content: bytes) -> bytes:
    """A safetensors file with its metadata sorted by name: the library writes them in arbitrary order."""
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # the format aligns the tensors to 8 bytes
    return len(text).to_bytes(8, "little") + text + content[8 + length :]
