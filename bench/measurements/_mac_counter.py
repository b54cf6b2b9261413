"""Counts the multiply-adds of one forward pass, and names the operators that it cannot count.

A module that computes products other than by matrix products or convolutions (such as ``(x * w).sum()`` with a weight
``w``) declares its cost with a method ``multiply_adds(self, *inputs) -> int``. It takes the arguments of ``forward``
and returns the multiply-adds of that call; the operators inside are then not counted.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, UntypedStorage, nn
from torch._ops import OpOverload
from torch.utils.flop_counter import flop_registry

from bench.measurements._operators import OperatorMode, tensors_in

_FLOPS_PER_MAC = 2  # the formulas of torch.utils.flop_counter count product and sum as two

# Operators without multiply-adds in the suite's convention, whose outputs are counted as elementwise work.
_ELEMENTWISE = frozenset(
    str.split(
        # normalisation
        "native_batch_norm _native_batch_norm_legit _native_batch_norm_legit_no_training _batch_norm_no_update "
        "native_layer_norm native_group_norm "
        # activations
        "relu hardtanh clamp clamp_min clamp_max threshold leaky_relu _prelu_kernel elu gelu silu sigmoid tanh "
        "hardswish hardsigmoid softplus log_sigmoid_forward mish _softmax _log_softmax "
        # pooling
        "max_pool2d_with_indices avg_pool2d avg_pool3d _adaptive_avg_pool2d adaptive_max_pool2d mean sum amax amin "
        # arithmetic; products with a parameter are handled separately
        "max maximum minimum add sub rsub mul div neg abs sign exp log pow sqrt rsqrt reciprocal round floor ceil "
        "trunc native_dropout eq ne lt le gt ge logical_and logical_or logical_not where masked_fill"
    )
)
# Operators that move, name or create values without arithmetic.
_FREE = frozenset(
    str.split(
        "view _unsafe_view reshape _reshape_alias as_strided permute transpose t unsqueeze squeeze expand select slice "
        "split split_with_sizes unbind alias detach clone copy _to_copy to cat stack index index_select gather repeat "
        "flip roll constant_pad_nd pixel_shuffle pixel_unshuffle channel_shuffle upsample_nearest2d argmax topk sort "
        "lift_fresh empty empty_like empty_strided new_empty zeros zeros_like new_zeros ones ones_like new_ones full "
        "full_like new_full scalar_tensor arange fill zero _local_scalar_dense device layout"
    )
)
_PRODUCTS = frozenset({"mul", "div"})


@dataclass(frozen=True)
class Count:
    """Cost of one forward pass."""

    macs: int  # multiply-adds of convolutions, fully connected layers and matrix products; biases cost none
    elementwise: int  # output values of normalisation, activation, pooling and other elementwise operators
    incomplete: tuple[str, ...]  # operators whose multiply-adds are unknown; if there are any, ``macs`` is too low


def count(network: nn.Module, *inputs: Tensor) -> Count:
    """Count one forward pass of a network in eval mode; everything may be on the meta device.

    Raises:
        ValueError: the network is in training mode, where it may compute something else.
    """
    if network.training:
        raise ValueError(f"wanted {type(network).__name__} in eval mode, got training mode; call .eval()")
    counter = _Counter(network)
    with torch.inference_mode(), _declarations(network, counter), counter:
        network(*inputs)
    return Count(counter.macs, counter.elementwise, tuple(sorted(counter.incomplete)))


class _Counter(OperatorMode):  # type: ignore[no-untyped-call]
    """Adds up the cost of operators, except inside modules that declare their own cost."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.macs = self.elementwise = 0
        self.incomplete: set[str] = set()
        self.declared = 0  # how many nested modules with a declared cost are running
        # Values that do not depend on the input, and among them those that depend on parameters. Storages are kept,
        # because Python reuses the ids of deleted objects.
        self._fixed: dict[int, UntypedStorage] = {}
        self._learned: set[int] = set()
        for tensor in network.buffers():
            self._fix(tensor, learned=False)
        for tensor in network.parameters():
            self._fix(tensor, learned=True)

    def keeps_whole(self, operator: OpOverload) -> bool:
        return operator.overloadpacket in flop_registry

    def seen(self, operator: OpOverload, inputs: list[Tensor], arguments: Any, result: Any) -> None:
        learned = any(id(tensor.untyped_storage()) in self._learned for tensor in inputs)
        fixed = bool(inputs) and all(id(tensor.untyped_storage()) in self._fixed for tensor in inputs)
        outputs = tensors_in(result)
        if fixed:
            for tensor in outputs:
                self._fix(tensor, learned)
        if self.declared:
            return
        full_name = f"{operator.namespace}::{operator._opname}"  # aten::mul_, whatever the overload
        name = operator._opname.rstrip("_")
        formula = flop_registry.get(operator.overloadpacket)
        if formula is not None:
            positional, named = arguments
            self.macs += formula(*positional, **named, out_val=result) // _FLOPS_PER_MAC
        elif operator.namespace not in ("aten", "prim") or name not in _ELEMENTWISE | _FREE:
            self.incomplete.add(full_name)
        elif name in _PRODUCTS and learned and not fixed:
            self.incomplete.add(f"{full_name} with a parameter")
        elif name in _ELEMENTWISE and not fixed and outputs:
            self.elementwise += outputs[0].numel()  # further outputs are statistics or indices

    def _fix(self, tensor: Tensor, learned: bool) -> None:
        storage = tensor.untyped_storage()
        self._fixed[id(storage)] = storage
        if learned:
            self._learned.add(id(storage))


@contextmanager
def _declarations(network: nn.Module, counter: _Counter) -> Iterator[None]:
    """Hooks that count modules with ``multiply_adds`` by that method; the outermost one counts for those inside it."""

    def enter(module: nn.Module, inputs: Any) -> None:
        counter.declared += 1

    def leave(module: Any, inputs: Any, output: Any) -> None:
        if counter.declared == 1:
            counter.macs += module.multiply_adds(*inputs)
        counter.declared -= 1

    with ExitStack() as hooks:
        for module in network.modules():
            if hasattr(module, "multiply_adds"):
                hooks.enter_context(module.register_forward_pre_hook(enter))
                hooks.enter_context(module.register_forward_hook(leave))
        yield
