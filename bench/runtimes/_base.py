"""Runtimes: a file here without a leading underscore runs recognisers, and its name follows ``latency@``.

Such a file holds ``prepare(subject, form) -> Loader``: what takes long, such as export, is done there once, and
each call of what it returns makes a fresh classifier. Loaders travel to other processes, pickled: what they need is
imported there, so that a runtime that does without torch must not import it at its top. Where the file offers more
than its plain form, it holds the literal ``FORMS``: with ``FORMS = ("int8",)`` the file ``x.py`` is the runtimes ``x``
(form ``""``) and ``x-int8``. It is imported in the measuring process, and a classifier keeps to ``threads()`` threads.
"""

import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bench.plugins import RUNTIMES, UnknownPlugin
from datamodules._characters import Characters
from datamodules._files import write_whole

if TYPE_CHECKING:
    from tasks.early_exits.policy import ExitPolicy
    from tasks.recogniser import Recogniser


@dataclass(frozen=True)
class Subject:
    """What a runtime is given: names and files, so that it can travel to another process.

    Attributes:
        architecture: ``name`` or ``name:variant``.
        classes: size of the label space.
        weights: file of the network, safetensors or packed.
        characters: validation characters at their native size; those that are timed, and for calibration.
        policy: of a network with early exits; None for the one that its weights bring.
    """

    architecture: str
    classes: int
    weights: Path
    characters: Characters
    policy: "ExitPolicy | None" = None

    def load(self) -> "Recogniser":
        """The recogniser itself; this imports torch."""
        from tasks.recogniser import load_recogniser

        found = load_recogniser(self.architecture, self.classes, self.weights)
        return found if self.policy is None else found.under(self.policy)


class Classifier(Protocol):
    """A recogniser behind one call, as ``tasks.recogniser.Recogniser`` is one."""

    def preprocess(self, image: NDArray[np.uint8]) -> Any:
        """A native-size character, uint8 (h, w) or (h, w, 3), as the network's input.

        A share of what a call does, by the same means: where the resize is part of a graph, that part run alone.
        """
        ...

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities, float32 (classes,), of one native-size character."""
        ...


Loader = Callable[[], Classifier]
_threads = ContextVar("threads", default=1)


def threads() -> int:
    """How many threads a classifier that is made now may use; PyTorch and OpenCV are told by the process itself."""
    return _threads.get()


@contextmanager
def with_threads(count: int) -> Iterator[None]:
    """Let classifiers that are made inside use so many threads."""
    before = _threads.set(count)
    try:
        yield
    finally:
        _threads.reset(before)


def names() -> list[str]:
    """All runtimes with their forms, sorted; imports none of them."""
    forms = {file: ("", *RUNTIMES.literals(file).get("FORMS", ())) for file in RUNTIMES.names()}
    return sorted(f"{file}-{form}" if form else file for file in forms for form in forms[file])


def check(*asked: str) -> None:
    """Raise UnknownPlugin, with the known ones, unless all of these are runtimes, forms included."""
    known = names()
    for name in asked:
        if name not in known:
            raise UnknownPlugin(f"unknown runtime {name!r}. Known: {', '.join(known)}")


def prepare(runtime: str, subject: Subject) -> Loader:
    """What makes a recogniser in this runtime, on the CPU, at each call.

    Raises:
        UnknownPlugin: no such runtime; the message lists those that exist.
    """
    check(runtime)
    file, _, form = runtime.partition("-")
    loader: Loader = RUNTIMES.load(file).prepare(subject, form)
    return loader


def write_loader(runtime: str, subject: Subject, path: Path) -> None:
    """Pickle what ``prepare`` gives into a new file, whole or not at all."""
    write_whole(path, pickle.dumps(prepare(runtime, subject)))


def read_loader(path: Path) -> Loader:
    """A loader from the file that ``write_loader`` made."""
    loader: Loader = pickle.loads(path.read_bytes())
    return loader
