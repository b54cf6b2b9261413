"""What runtimes are given and return: a subject, a loader, a classifier, and the number of threads."""

import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bench.plugins import RUNTIMES, check_runtimes
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
        return found if self.policy is None else found.with_policy(self.policy)


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


def prepare(runtime: str, subject: Subject) -> Loader:
    """What makes a recogniser in this runtime, on the CPU, at each call.

    Raises:
        UnknownPlugin: no such runtime; the message lists those that exist.
    """
    check_runtimes(runtime)
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
