"""Reads pickles of plain values and uint8 arrays without running code: no name is ever imported or called."""

import io
import math
import pickletools
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from datamodules._errors import DataError

WANTED = "a pickle of plain values and uint8 arrays"
CODE_ADVICE = "Unpickled elsewhere it could run code: do not open it, get the original archive."
DAMAGE_ADVICE = "Restore this file."
# Names that NumPy 1 and NumPy 2 write for an array, by protocol, and Python 3 for bytes in protocol 2.
_NAMES = {
    "numpy.core.multiarray _reconstruct": "reconstruct", "numpy._core.multiarray _reconstruct": "reconstruct",
    "numpy.core.numeric _frombuffer": "from buffer", "numpy._core.numeric _frombuffer": "from buffer",
    "numpy ndarray": "ndarray", "numpy dtype": "dtype", "_codecs encode": "encode",
}  # fmt: skip
_VALUES = ("BININT", "BININT1", "BININT2", "BINUNICODE", "SHORT_BINUNICODE",
           "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8")  # fmt: skip
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_SHORT_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_MOST_AXES = 32  # of an array, NumPy 1's limit


class Located(NamedTuple):
    """A value and its byte offset; the items of a container are ``Located`` too."""

    value: Any
    offset: int


@dataclass
class Pixels:
    """A pickled uint8 array, empty until its state is read; ``offset`` is that of its bytes."""

    array: NDArray[np.uint8] = field(default_factory=lambda: np.empty(0, np.uint8))
    offset: int = 0


@dataclass(frozen=True)
class _Name:
    kind: str  # a value of _NAMES


@dataclass(frozen=True)
class _Dtype:
    name: Located  # ``u1`` for uint8


def read_pickle(content: bytes, name: str) -> Located:
    """The value of a pickle: dicts by str, lists, tuples, str, bytes, int, bool, None and ``Pixels``.

    Strings of Python 2 are returned as bytes, except keys.

    Raises:
        DataError: a truncated pickle, no pickle, or one with other names or types.
    """
    machine = _Machine(content, name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # from pickletools, for backslashes in damaged names
        for opcode, argument, offset in machine.opcodes():
            machine.step(opcode, argument, offset)
    if len(machine.stack) != 1:
        raise DataError(name, len(content), WANTED, f"{len(machine.stack)} values", DAMAGE_ADVICE)
    return machine.stack[0]


class _Machine:
    """Executes opcodes: the stack, the marks on it, and the memo."""

    def __init__(self, content: bytes, name: str) -> None:
        self.content, self.name = content, name
        self.stack: list[Located] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}

    def opcodes(self) -> Iterator[tuple[str, Any, int]]:
        """Each opcode with its argument and byte offset, up to STOP."""
        stream = io.BytesIO(self.content)
        try:
            for opcode, argument, offset in pickletools.genops(stream):
                yield opcode.name, argument, offset or 0
        except ValueError as error:
            end = len(self.content)
            offset = end if stream.tell() == end else stream.tell() - 1
            raise DataError(self.name, offset, "a whole pickle", str(error), DAMAGE_ADVICE) from error

    def step(self, opcode: str, argument: Any, offset: int) -> None:
        """Execute one opcode."""
        try:
            if opcode in _VALUES:
                self._push(argument, offset)
            elif opcode in ("SHORT_BINSTRING", "BINSTRING"):
                self._push(argument.encode("latin-1"), offset)  # as pickletools decodes strings of Python 2
            elif opcode in ("BINPUT", "LONG_BINPUT", "MEMOIZE"):
                self.memo[len(self.memo) if argument is None else argument] = self.stack[-1].value
            elif opcode in ("BINGET", "LONG_BINGET"):
                self._push(self.memo[argument], offset)
            elif opcode in _CONSTANTS:
                self._push(_CONSTANTS[opcode], offset)
            elif opcode == "MARK":
                self.marks.append(len(self.stack))
            elif opcode not in ("PROTO", "FRAME", "STOP"):
                self._combine(opcode, argument, offset)
        except (LookupError, TypeError, ValueError, AttributeError) as error:  # another type on the stack, or none
            raise DataError(self.name, offset, WANTED, f"a misplaced {opcode}", DAMAGE_ADVICE) from error

    def _combine(self, opcode: str, argument: Any, offset: int) -> None:
        """Execute one of the opcodes that combine values."""
        if opcode in ("EMPTY_LIST", "EMPTY_DICT"):
            self._push([] if opcode == "EMPTY_LIST" else {}, offset)
        elif opcode in ("TUPLE", *_SHORT_TUPLES):
            self._push(tuple(self._pop(_SHORT_TUPLES.get(opcode))), offset)
        elif opcode in ("APPEND", "APPENDS"):
            items = self._pop(1 if opcode == "APPEND" else None)
            self._top(list).extend(items)
        elif opcode in ("SETITEM", "SETITEMS"):
            items = self._pop(2 if opcode == "SETITEM" else None)
            keys = [_text(key.value) for key in items[::2]]
            self._top(dict).update(zip(keys, items[1::2], strict=True))
        elif opcode in ("GLOBAL", "STACK_GLOBAL"):
            name = argument or " ".join(str(part.value) for part in self._pop(2) if isinstance(part.value, str))
            if name not in _NAMES:
                raise DataError(self.name, offset, WANTED, f"the name {name.replace(' ', '.')!r}", CODE_ADVICE)
            self._push(_Name(_NAMES[name]), offset)
        elif opcode == "REDUCE":
            called, arguments = self._pop(2)
            self._push(self._known_call(called.value, arguments), offset)
        elif opcode == "BUILD":
            (state,) = self._pop(1)
            self._set_state(self.stack[-1].value, state)
        else:
            raise DataError(self.name, offset, WANTED, f"opcode {opcode}", CODE_ADVICE)

    def _push(self, value: Any, offset: int) -> None:
        self.stack.append(Located(value, offset))

    def _pop(self, count: int | None) -> list[Located]:
        """The last ``count`` values, or all above the last mark."""
        start = self.marks.pop() if count is None else len(self.stack) - count
        if not (self.marks[-1] if self.marks else 0) <= start <= len(self.stack):
            raise LookupError("fewer values than that")
        items = self.stack[start:]
        del self.stack[start:]
        return items

    def _top(self, kind: type) -> Any:
        if not isinstance(self.stack[-1].value, kind):
            raise TypeError(f"no {kind.__name__} there")
        return self.stack[-1].value

    def _known_call(self, called: Any, arguments: Located) -> Any:
        """The result of calling a known name with these arguments."""
        match called, *arguments.value:
            case _Name(kind="reconstruct"), Located(_Name(kind="ndarray")), *_:
                return Pixels()
            case _Name(kind="dtype"), name, *_:
                return _Dtype(name)
            case _Name(kind="encode"), text, Located("latin1" | b"latin1"):
                return text.value.encode("latin-1")
            case _Name(kind="from buffer"), content, dtype, shape, order:
                pixels = Pixels()
                self._fill(pixels, content, dtype, shape, order.value in ("F", b"F"))
                return pixels
        raise TypeError("no call that such a file needs")

    def _set_state(self, target: Any, state: Located) -> None:
        if isinstance(target, _Dtype):
            return  # byte order and the like, which single bytes do not have
        if not isinstance(target, Pixels):
            raise TypeError("no array there")
        _, shape, dtype, fortran, content = state.value
        self._fill(target, content, dtype, shape, bool(fortran.value))

    def _fill(self, pixels: Pixels, content: Located, dtype: Located, shape: Located, fortran: bool) -> None:
        element = dtype.value.name
        if element.value not in ("u1", b"u1"):
            raise DataError(self.name, element.offset, "an array of dtype u1", f"dtype {_text(element.value)!r}")
        sides = tuple(side.value for side in shape.value)
        if len(sides) > _MOST_AXES or not all(type(side) is int and side >= 0 for side in sides):
            raise TypeError("no shape")
        if not isinstance(content.value, bytes | bytearray) or len(content.value) != math.prod(sides):
            got = f"{len(content.value)} bytes"
            raise DataError(self.name, content.offset, f"{math.prod(sides)} bytes of a {sides} array", got)
        array = np.frombuffer(content.value, np.uint8).reshape(sides, order="F" if fortran else "C")
        pixels.array, pixels.offset = array, content.offset


def _text(value: Any) -> str:
    """A key or a name as str; TypeError if it is neither str nor bytes."""
    if not isinstance(value, bytes | str):
        raise TypeError("no text there")
    return value.decode("latin-1") if isinstance(value, bytes) else value
