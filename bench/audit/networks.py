"""Builds the networks that claims describe on the meta device, and records the layers of one forward pass."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules.module import register_module_forward_hook
from torch.overrides import TorchFunctionMode

from bench.measurements._mac_counter import count
from bench.plugins import ARCHITECTURES, systems

_KINDS: Mapping[str, tuple[type[nn.Module], ...]] = {
    "linear": (nn.Linear,), "max_pool": (nn.MaxPool2d, nn.AdaptiveMaxPool2d, nn.FractionalMaxPool2d),
    "average_pool": (nn.AvgPool2d, nn.AdaptiveAvgPool2d), "batch_norm": (nn.BatchNorm2d,), "dropout": (nn.Dropout,),
    "activation": (nn.ReLU, nn.ReLU6, nn.PReLU, nn.LeakyReLU, nn.Hardswish, nn.SiLU),
}  # fmt: skip
STEPS = ("convolution", "depthwise", "linear", "max_pool", "average_pool", "pool")  # one row each in printed tables
# Skipped operators: they keep the shape of their first input and cost no multiply-adds, and the meta device computes
# them in Python, which takes seconds for a deep network.
_SHAPE_KEPT = frozenset({F.batch_norm, F.hardtanh, F.relu, F.relu6, F.prelu, F.leaky_relu, F.dropout})


class NotHereError(Exception):
    """A claim needs something that is not installed; the message says what."""


@dataclass(frozen=True)
class Layer:
    """One layer of the forward pass.

    Attributes:
        name: dotted module name; empty for a pooling function without a module.
        op: one of STEPS, or ``activation``, ``batch_norm``, ``dropout``, ``other``.
        inputs, output: shapes for one image, such as (64, 32, 32).
        module: None for a function.
    """

    name: str
    op: str
    inputs: tuple[int, ...]
    output: tuple[int, ...]
    module: nn.Module | None

    def setting(self, name: str) -> int | None:
        """``kernel_size``, ``stride`` or ``padding`` along one side; None if the layer has none."""
        value = getattr(self.module, name, None)
        value = value[0] if isinstance(value, list | tuple) else value
        return value if isinstance(value, int) else None


class Built:
    """A network in eval mode on the meta device, its input shape (channels, side, side), its name without recipe."""

    def __init__(self, network: nn.Module, image: tuple[int, int, int], system: str) -> None:
        self.network, self.image, self.system = network, image, system

    @cached_property
    def layers(self) -> list[Layer]:
        """Every layer in the order of execution, including poolings that are functions."""
        layers: list[Layer] = []
        for layer in self._calls:
            if layer.module is None or any(layer.module.children()):
                continue
            before = layers[-1].output if layers else self.image
            if prod(layer.inputs) < prod(before) and layer.inputs[0] == before[0]:
                layers.append(Layer("", "pool", before, layer.inputs, None))
            layers.append(layer)
        return layers

    @cached_property
    def steps(self) -> list[Layer]:
        """The layers that have a row in printed architecture tables, in the order of execution."""
        return [layer for layer in self.layers if layer.op in STEPS]

    @cached_property
    def named(self) -> Mapping[str, Layer]:
        """Every executed module, also blocks, by name, with the shapes of its first call."""
        return {layer.name: layer for layer in reversed(self._calls)}

    @property
    def output(self) -> tuple[int, ...]:
        """Output shape of the network for one image."""
        return self.named[""].output

    def layer(self, name: str) -> Layer:
        """The module of this name; raises NotHereError, with the existing names, if there is none."""
        if name not in self.named:
            tops = ", ".join(known for known in self.named if known and "." not in known)
            raise NotHereError(f"The network has no layer {name}; it has {tops}")
        return self.named[name]

    @cache  # noqa: B019  (lives as long as the audit)
    def macs(self, name: str = "") -> int:
        """Multiply-adds of one forward pass, of the whole network or of a named part.

        Raises:
            NotHereError: no such part, or an operator of unknown cost.
        """
        part = self.layer(name)
        with _ShapesOnly():
            counted = count(part.module or self.network, torch.empty(1, *part.inputs, device="meta"))
        if counted.incomplete:
            raise NotHereError(f"The multiply-adds of {', '.join(counted.incomplete)} are not known")
        return counted.macs

    @cached_property
    def _calls(self) -> list[Layer]:
        names = {module: name for name, module in self.network.named_modules()}
        calls: list[Layer] = []

        def record(module: nn.Module, inputs: Any, output: Any) -> None:
            calls.append(Layer(names[module], _op(module), _shape(inputs[0]), _shape(output), module))

        handle = register_module_forward_hook(record)
        try:
            with torch.inference_mode(), _ShapesOnly():
                self.network(torch.empty(1, *self.image, device="meta"))
        finally:
            handle.remove()
        return calls


class Networks:
    """Builds each network once, for any number of claims."""

    def __init__(self) -> None:
        self._built: dict[tuple[str, int, int, int, str], Built] = {}
        self._literals: dict[str, Mapping[str, Any]] = {}
        self._known = frozenset(systems())

    def literals(self, system: str) -> Mapping[str, Any]:
        """Literals of a system's architecture file; raises NotHereError if it is not installed."""
        if system.split("+")[0] not in self._known:
            raise NotHereError(f"Not checkable yet: no architecture {system} is installed")
        name = system.split(":")[0].split("+")[0]
        if name not in self._literals:
            self._literals[name] = ARCHITECTURES.literals(name)
        return self._literals[name]

    def built(self, system: str, classes: int, image: tuple[int, int] | None = None, until: str = "") -> Built:
        """Build a system's network, or return it from the cache.

        Args:
            system: as on the command line; its recipe is ignored.
            classes: number of classes.
            image: (channels, side) of the input; None for the architecture's own.
            until: cut a network with several heads after this head; empty for the last.

        Raises:
            NotHereError: the architecture is not installed, or has no such head.
        """
        channels, side = image or self.literals(system)["INPUT"]
        self.literals(system)
        key = (system.split("+")[0], classes, channels, side, until)
        if key not in self._built:
            if until:
                whole: Any = self.built(system, classes, image).network
                if not hasattr(whole, "up_to"):
                    raise NotHereError(f"{type(whole).__name__} has no head {until}")
                network = whole.up_to(until)
            else:
                name, _, variant = key[0].partition(":")
                with torch.device("meta"), _ShapesOnly():
                    network = ARCHITECTURES.load(name).build(variant, classes, channels, side)
            self._built[key] = Built(network.eval(), (channels, side, side), key[0])
        return self._built[key]


class _ShapesOnly(TorchFunctionMode):
    """Skips the operators in _SHAPE_KEPT."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in _SHAPE_KEPT:
            return args[0] if args else kwargs["input"]
        return func(*args, **(kwargs or {}))


def _op(module: nn.Module) -> str:
    if isinstance(module, nn.Conv2d):
        return "depthwise" if module.groups == module.in_channels > 1 else "convolution"
    known = (op for op, types in _KINDS.items() if isinstance(module, types))
    return next(known, "pool" if "pool" in type(module).__name__.lower() else "other")


def _shape(value: Any) -> tuple[int, ...]:
    """Shape without the batch dimension; of several outputs, that of the last."""
    if isinstance(value, Mapping):
        value = list(value.values())
    while isinstance(value, list | tuple):
        value = value[-1]
    return tuple(value.shape[1:]) if isinstance(value, Tensor) else ()
