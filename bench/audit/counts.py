"""Audit checks that count parameters, multiply-adds and bytes of the described network or of its layers."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from torch import nn

from bench.audit.networks import Built
from bench.audit.verdicts import Finding
from bench.measurements.params_keras import keras_parameters

MEGA, MEBI = 10**6, 2**20
FLOAT_BITS = 32


def parameters(built: Built, check: Mapping[str, Any]) -> Finding:
    """Parameters by the check's ``convention``, of ``layers`` only if the check names any.

    ``trainable``: changed by gradients. ``keras``: also batch normalisation's moving statistics. ``one_input``: a
    mistake of some papers, see ``_one_input``. ``weights``, ``biases``, ``scales``: only these.
    """
    convention = check.get("convention", "trainable")
    value = sum(_parameters(part, convention) for part in parts_of(built, check))
    return Finding(value, f"{value:,} {_WORDS[convention].format(of=_of(check))}")


def multiply_adds(built: Built, check: Mapping[str, Any]) -> Finding:
    """Multiply-adds of one forward pass at batch 1, counted as in measurement ``macs``."""
    value = sum(built.macs(name) for name in check.get("layers", [""]))
    return Finding(value, f"{value:,} multiply-adds{_of(check)}")


def storage(built: Built, check: Mapping[str, Any]) -> Finding:
    """Bytes of all stored numbers, in the check's ``unit``, ``MB`` or ``MiB``.

    ``bits`` gives the bits per weight of ``convolution`` and ``linear`` layers; all else, such as biases and batch
    normalisation with its moving statistics, has 32.
    """
    bits = check.get("bits", {})
    total = FLOAT_BITS * keras_parameters(built.network)
    for module in built.network.modules():
        kind = "convolution" if isinstance(module, nn.Conv2d) else "linear" if isinstance(module, nn.Linear) else ""
        if kind in bits and isinstance(module, nn.Conv2d | nn.Linear):
            total -= (FLOAT_BITS - bits[kind]) * module.weight.numel()
    size = total / 8
    mega, mebi = size / MEGA, size / MEBI
    text = f"{size:,.0f} bytes: {mega:.2f} MB (10⁶ bytes) or {mebi:.2f} MiB (2²⁰ bytes)"
    widths = ", ".join(f"{width} bits per {kind} weight" for kind, width in bits.items())
    return Finding(mebi if check["unit"] == "MiB" else mega, f"{text}, {widths or '32 bits per number'}")


def parts_of(built: Built, check: Mapping[str, Any]) -> list[nn.Module]:
    """The modules named in ``layers``, except those in ``without``; by default the whole network."""
    parts = [built.layer(name).module or built.network for name in check.get("layers", [""])]
    without = {id(built.layer(name).module) for name in check.get("without", ())}
    return list(_leaves(parts, without)) if without else parts


def _leaves(parts: Iterable[nn.Module], without: set[int]) -> Iterator[nn.Module]:
    """The modules without children below these parts, except those in ``without``."""
    for part in parts:
        if id(part) not in without:
            children = list(part.children())
            yield from _leaves(children, without) if children else [part]


def _parameters(part: nn.Module, convention: str) -> int:
    layers = [layer for layer in part.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    match convention:
        case "trainable":
            return sum(p.numel() for p in part.parameters() if p.requires_grad)
        case "keras":
            return keras_parameters(part)
        case "one_input":
            return sum(map(_one_input, layers))
        case "weights":
            return sum(p.numel() for p in part.parameters() if p.dim() > 1)
        case "biases":
            return sum(layer.bias.numel() for layer in layers if layer.bias is not None)
        case "scales":
            return sum(one.weight.numel() for one in part.modules() if isinstance(one, nn.BatchNorm2d))
    raise KeyError(f"unknown convention {convention}; known: {', '.join(_WORDS)}")


def _one_input(layer: nn.Conv2d | nn.Linear) -> int:
    """Counts a convolution as if it had one input channel, and a fully connected layer without biases."""
    if isinstance(layer, nn.Linear):
        return layer.weight.numel()
    return layer.weight.numel() // layer.weight.shape[1] + (0 if layer.bias is None else layer.bias.numel())


def _of(check: Mapping[str, Any]) -> str:
    words = f" of {', '.join(check['layers'])}" if check.get("layers") else ""
    return words + (f" without {', '.join(check['without'])}" if check.get("without") else "")


_WORDS = {
    "trainable": "trainable parameters{of}",
    "keras": "parameters{of}, including four per channel of batch normalisation",
    "one_input": "parameters{of}, counting one input channel per convolution and no biases of fully connected layers",
    "weights": "weights{of} (convolutions and fully connected layers)",
    "biases": "biases{of}",
    "scales": "batch normalisation scales{of}",
}
