"""Compares multiply-adds with other counters, and explains the operations that they count in addition."""

import importlib
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
    "resnet:18", "resnet:50", "mobilenet_v2", "googlenet", "squeezenet", "alexnet", "vgg16", "shui_cnn", "fire:fc",
    "fire:gwap",
)  # fmt: skip
CLASSES = 3755
_ACTIVATIONS, _POOLS = (nn.ReLU, nn.ReLU6), (nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d)


@dataclass
class Work:
    """Numbers of tensor elements that other operations of one forward pass process.

    Attributes:
        biased: outputs of convolutions and fully connected layers with a bias.
        normalised: inputs of batch normalisation.
        activated: outputs of ``functional.relu``, including calls by modules.
        pooled: inputs of functional pooling, including calls by modules.
        averaged: inputs of adaptive average pooling only.
        module_activated: outputs of the modules ``ReLU`` and ``ReLU6``.
        module_pooled: inputs of pooling modules.
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


PeerCount = Callable[[nn.Module, Tensor], int]  # another counter's figure for a network and its input (1, C, S, S)
ExtraOperations = Callable[[nn.Module, Work], int]  # what it counts that this suite does not call a multiply-add


def compare_counters(peer_count: PeerCount, extra_operations: ExtraOperations) -> Measurement:
    """Compare another counter with this suite's, over all systems.

    Returns: one plus the largest share of a figure that ``extra_operations`` does not explain; for each system its
        multiply-adds here, the other figure, and their ratio.
    """
    systems = {name: _compare_system(name, peer_count, extra_operations) for name in SYSTEMS}
    largest = max(system["unexplained"] for system in systems.values())
    return Measurement(1 + largest, {"n": len(systems), "systems": systems})


def peer(name: str) -> Any:
    """Import another counter's module; a ModuleNotFoundError says what to install."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(f"{error}; pip install 'hccr-bench[peers]'") from error


def work_of(network: nn.Module, image: Tensor) -> Work:
    """Record the operations of one forward pass of a network in eval mode; ``image`` is float (1, C, S, S)."""
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


def _compare_system(system: str, peer_count: PeerCount, extra_operations: ExtraOperations) -> dict[str, Any]:
    name, _, variant = system.partition(":")
    module = ARCHITECTURES.load(name)
    channels, size = module.INPUT
    network = module.build(variant, CLASSES, channels, size).eval()
    image = torch.zeros(1, channels, size, size)
    ours, theirs = count(network, image).macs, peer_count(network, image)
    unexplained = abs(theirs - ours - extra_operations(network, work_of(network, image))) / ours
    return {"macs": ours, "theirs": theirs, "ratio": theirs / ours, "unexplained": unexplained}
