"""Observes a network's operators as they run, after composite ones are decomposed."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from torch import Tensor
from torch._ops import OpOverload
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class OperatorMode(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """A context in which ``seen`` is called for every operator that runs.

    Composite operators (``linear``, ``matmul``, ``einsum`` …) are decomposed first: in inference mode they would
    otherwise arrive as one operator and hide what they compute.
    """

    @abstractmethod
    def seen(self, operator: OpOverload, inputs: list[Tensor], arguments: Any, result: Any) -> None:
        """Called after ``operator`` ran with ``arguments``, (positional, named); ``inputs`` are the tensors in them."""

    def keeps_whole(self, operator: OpOverload) -> bool:
        """Whether a composite operator is passed to ``seen`` without decomposing it."""
        return False

    def __torch_dispatch__(
        self, func: OpOverload, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        named = dict(kwargs or {})
        if not self.keeps_whole(func):
            with self:
                result = func.decompose(*args, **named)
            if result is not NotImplemented:
                return result
        result = func(*args, **named)
        self.seen(func, tensors_in((args, named)), (args, named), result)
        return result


def tensors_in(values: Any) -> list[Tensor]:
    """The tensors in nested tuples, lists and mappings."""
    return [leaf for leaf in tree_leaves(values) if isinstance(leaf, Tensor)]
