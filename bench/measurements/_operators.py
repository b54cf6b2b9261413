"""Watching a network's operators run, one by one, after composite ones have come apart."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from torch import Tensor
from torch._ops import OpOverload
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class OperatorMode(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """While entered, tells ``seen`` of every operator that runs and of what it returned.

    Operators that only compose others (``linear``, ``matmul``, ``einsum`` …) are taken apart first: in
    inference mode they would otherwise arrive whole and hide what they do.
    """

    @abstractmethod
    def seen(self, operator: OpOverload, inputs: list[Tensor], arguments: Any, result: Any) -> None:
        """One operator has run.

        Args:
            operator: which one.
            inputs: the tensors among its arguments.
            arguments: (positional, named), as it was called.
            result: what it returned.
        """

    def keeps_whole(self, operator: OpOverload) -> bool:
        """Whether a composite operator is to be seen as it is."""
        return False

    def __torch_dispatch__(
        self,
        func: OpOverload,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
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
