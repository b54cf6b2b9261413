"""Checks that every architecture runs when it is built: known variant, and an input size that fits."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn.modules.utils import _pair
from torch.utils.hooks import RemovableHandle

_WINDOWED = (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)  # layers whose input must be at least as large as their window


def check_variant(variant: str, known: Sequence[str]) -> None:
    """Raise ValueError, listing the known variants, unless this is one; ``""`` if the architecture has none."""
    if variant not in (known or ("",)):
        names = ", ".join(known) if known else "none, leave it empty"
        raise ValueError(f"unknown variant {variant!r}; known: {names}")


def fitted(network: nn.Module, channels: int, size: int) -> nn.Module:
    """The network itself, after checking that an input of (channels, size, size) passes through it.

    Raises:
        ValueError: the input does not fit; names the layer, the wanted size and the actual size.
    """
    output_shape(network, channels, size)
    return network


def output_shape(network: nn.Module, channels: int, size: int) -> tuple[int, ...]:
    """Shape of the network's output for one image of (channels, size, size), without the batch axis.

    The image is created on torch's default device, as the network is. The meta device would compute nothing, but its
    kernels import torch's compiler, two seconds and 150 MB, which a process that only recognises does not need.

    Raises:
        ValueError: the input does not fit; names the layer, the wanted size and the actual size.
    """
    training = {module: module.training for module in network.modules()}
    threads = torch.get_num_threads()
    network.eval()  # in training mode, batch normalisation refuses a single value per channel
    torch.set_num_threads(1)  # a process that has computed with several threads cannot be forked safely
    try:
        with torch.no_grad(), _named_layers(network, f"{channels}x{size}x{size}"):
            output: torch.Tensor = network(torch.zeros(1, channels, size, size))
    finally:
        torch.set_num_threads(threads)
        for module, mode in training.items():
            module.training = mode
    return tuple(output.shape[1:])


@contextmanager
def _named_layers(network: nn.Module, source: str) -> Iterator[None]:
    """Turn an error inside a layer into a ValueError that names the layer."""
    entered: list[tuple[str, nn.Module, tuple[int, ...]]] = []
    handles: list[RemovableHandle] = []
    for name, module in network.named_modules():
        if not any(module.children()):

            def enter(layer: nn.Module, args: tuple[torch.Tensor, ...], name: str = name) -> None:
                entered.append((name, layer, tuple(args[0].shape[1:])))

            handles.append(module.register_forward_pre_hook(enter))
    try:
        yield
    except (RuntimeError, IndexError) as error:
        name, layer, actual = entered[-1] if entered else ("input", network, ())
        raise ValueError(
            f"an input of {source} does not fit: layer {name or 'input'} ({type(layer).__name__}) wants "
            f"{_wanted(layer)}, got {'x'.join(map(str, actual))}; use another input size"
        ) from error
    finally:
        for handle in handles:
            handle.remove()


def _wanted(layer: nn.Module) -> str:
    """The input that a layer needs, in words."""
    if isinstance(layer, nn.Linear):
        return f"{layer.in_features} features"
    if not isinstance(layer, _WINDOWED):
        return "another shape"
    windows, paddings, strides = _pair(layer.kernel_size), _pair(layer.padding), _pair(layer.stride)
    # With ceil_mode, the last window of a pool may be only partly filled.
    spare = strides if getattr(layer, "ceil_mode", False) else (1, 1)
    height, width = (max(1, windows[i] - 2 * paddings[i] - spare[i] + 1) for i in (0, 1))
    maps = f"maps of at least {height}x{width}"
    return f"{layer.in_channels} {maps}" if isinstance(layer, nn.Conv2d) else maps
