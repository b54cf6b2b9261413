"""Peak memory of the activations for one character."""

import weakref
from typing import Any

import torch
from torch import Tensor, nn
from torch._ops import OpOverload

from bench.measurements._operators import OperatorMode, tensors_in
from bench.measurements._row import Row
from bench.records.record import Measurement

NAME = "peak_activation_bytes"
UNIT = "byte"
VERSION = "1"
BETTER = "lower"
PHASE = "figures"
COLUMN = ("Peak activations (MB)", "millions", None, None)


def measure(row: Row) -> Measurement:
    """Largest number of bytes that live activations occupy at once in one forward pass at batch 1."""
    recogniser = row.recogniser
    blank = torch.zeros(1, recogniser.channels, recogniser.size, recogniser.size, dtype=torch.uint8)
    return Measurement(peak_bytes(recogniser.network, blank))


def peak_bytes(network: nn.Module, *inputs: Tensor) -> int:
    """Largest number of bytes that tensors created during one forward pass occupy at once.

    Parameters, buffers, inputs and the scratch memory of kernels do not count.
    """
    tracker = _Tracker([*network.parameters(), *network.buffers(), *inputs])
    with torch.inference_mode(), tracker:
        network(*inputs)
    return tracker.peak


class _Tracker(OperatorMode):  # type: ignore[no-untyped-call]
    """Adds each new storage when an operator returns it, and subtracts it when it is freed."""

    def __init__(self, excluded: list[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.live = self.peak = 0
        # Storages by id; excluded ones are kept, because Python reuses the ids of deleted objects.
        self._excluded = [tensor.untyped_storage() for tensor in excluded]
        self._known = {id(storage) for storage in self._excluded}

    def seen(self, operator: OpOverload, inputs: list[Tensor], arguments: Any, result: Any) -> None:
        for tensor in tensors_in(result):
            storage = tensor.untyped_storage()
            if id(storage) not in self._known:
                self._known.add(id(storage))
                self.live += storage.nbytes()
                weakref.finalize(storage, self._freed, id(storage), storage.nbytes())
        self.peak = max(self.peak, self.live)

    def _freed(self, identity: int, size: int) -> None:
        self._known.discard(identity)
        self.live -= size
