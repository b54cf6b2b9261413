"""Multiply-adds of the suite beside those of other counters, and what those count besides."""

import importlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from bench.measurements._mac_counter import count
from bench.plugins import ARCHITECTURES
from bench.records.record import Measurement

SYSTEMS = (
    "resnet:18",
    "resnet:50",
    "mobilenet_v2",
    "googlenet",
    "squeezenet",
    "alexnet",
    "vgg16",
    "shui_cnn",
    "fire:fc",
    "fire:gwap",
)
CLASSES = 3755
_ACTIVATIONS, _POOLS = (nn.ReLU, nn.ReLU6), (nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d)


@dataclass
class Work:
    """What one forward pass does beside multiply-adds; values are numbers in tensors.

    Attributes:
        biased: values that a convolution or a fully connected layer adds its bias to.
        normalised: values that batch normalisation takes.
        activated: values that ``functional.relu`` gives, called by a module or not.
        pooled: values that the functions of pooling take, called by a module or not.
        averaged: values that adaptive average pooling alone takes.
        module_activated: values that modules ``ReLU`` and ``ReLU6`` give.
        module_pooled: values that modules of pooling take.
        derived: multiply-adds of modules of a class derived from ``Conv2d``, such as global weighted pooling.
    """

    biased: int = 0
    normalised: int = 0
    activated: int = 0
    pooled: int = 0
    averaged: int = 0
    module_activated: int = 0
    module_pooled: int = 0
    derived: int = 0


def compared(theirs: Callable[[nn.Module, Tensor], int], besides: Callable[[nn.Module, Work], int]) -> Measurement:
    """Another counter's figures and this suite's, over all systems.

    Args:
        theirs: the other counter's figure of a network in eval mode and its input, float (1, C, S, S).
        besides: what it counts that is no multiply-add of this suite's convention, from what the pass does.

    Returns: one and the largest share of a figure that ``besides`` does not explain; and of each system, its
        multiply-adds here, the other figure, and their ratio.
    """
    found = {name: _compared(name, theirs, besides) for name in SYSTEMS}
    return Measurement(1 + max(one["unexplained"] for one in found.values()), {"n": len(found), "systems": found})


def peer(name: str) -> Any:
    """A module of another counter.

    Raises:
        ModuleNotFoundError: it is not installed; says what to install.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(f"{error}; pip install 'hccr-bench[peers]'") from error


def work_of(network: nn.Module, image: Tensor) -> Work:
    """Watch one forward pass.

    Args:
        network: in eval mode.
        image: float (1, C, S, S).
    """
    work = Work()

    def watch(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if isinstance(module, _ACTIVATIONS):
            work.module_activated += output.numel()
        elif isinstance(module, _POOLS):
            work.module_pooled += inputs[0].numel()
        elif isinstance(module, nn.Conv2d) and type(module) is not nn.Conv2d:
            work.derived += output.numel() * module.weight[0].numel()

    handles = [module.register_forward_hook(watch) for module in network.modules()]
    try:
        with torch.inference_mode(), _Watch(work):
            network(image)
    finally:
        for handle in handles:
            handle.remove()
    return work


class _Watch(TorchFunctionMode):
    def __init__(self, work: Work) -> None:
        super().__init__()
        self.work = work

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        name, work = getattr(func, "__name__", ""), self.work
        if name in ("conv2d", "linear") and args[2] is not None:
            work.biased += result.numel()
        elif name == "batch_norm":
            work.normalised += args[0].numel()
        elif name == "relu":
            work.activated += result.numel()
        elif name.endswith("_pool2d"):
            work.pooled += args[0].numel()
            work.averaged += args[0].numel() if name.startswith("adaptive_avg") else 0
        return result


def _compared(
    system: str, theirs: Callable[[nn.Module, Tensor], int], besides: Callable[[nn.Module, Work], int]
) -> dict[str, Any]:
    name, _, variant = system.partition(":")
    module = ARCHITECTURES.load(name)
    channels, size = module.INPUT
    network = module.build(variant, CLASSES, channels, size).eval()
    image = torch.zeros(1, channels, size, size)
    ours, other = count(network, image).macs, theirs(network, image)
    explained = ours + besides(network, work_of(network, image))
    return {
        "macs": ours, "theirs": other, "ratio": other / ours, "unexplained": math.fabs(other - explained) / ours,
    }  # fmt: skip
