"""Peak memory of one character's activations."""

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
    """Most bytes that live activations hold at once in one forward pass at batch 1."""
    recogniser = row.recogniser
    blank = torch.zeros(1, recogniser.channels, recogniser.size, recogniser.size, dtype=torch.uint8)
    return Measurement(peak_bytes(recogniser.network, blank))


def peak_bytes(network: nn.Module, *inputs: Tensor) -> int:
    """Most bytes that tensors made during one forward pass hold at once.

    Parameters, buffers and the inputs are the caller's and do not count, nor does scratch memory inside a
    kernel.
    """
    tracker = _Tracker([*network.parameters(), *network.buffers(), *inputs])
    with torch.inference_mode(), tracker:
        network(*inputs)
    return tracker.peak


class _Tracker(OperatorMode):  # type: ignore[no-untyped-call]
    """Adds each new storage when an operator returns it, takes it off when nothing refers to it any more."""

    def __init__(self, given: list[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.live = self.peak = 0
        # Storages by identity; the given ones are kept, so that no new one can take their identity.
        self._given = [tensor.untyped_storage() for tensor in given]
        self._known = {id(storage) for storage in self._given}

    def seen(self, operator: OpOverload, inputs: list[Tensor], arguments: Any, result: Any) -> None:
        for tensor in tensors_in(result):
            storage = tensor.untyped_storage()
            if id(storage) not in self._known:
                self._known.add(id(storage))
                self.live += storage.nbytes()
                weakref.finalize(storage, self._gone, id(storage), storage.nbytes())
        self.peak = max(self.peak, self.live)

    def _gone(self, identity: int, size: int) -> None:
        self._known.discard(identity)
        self.live -= size
