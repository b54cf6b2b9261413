"""Interface of runtimes: Subject in, Loader and Classifier out, and the number of threads."""

import pickle
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bench.plugins import RUNTIMES, check_runtimes, exported_name
from datamodules._characters import Characters
from datamodules._files import write_whole

if TYPE_CHECKING:
    from tasks.early_exits.policy import ExitPolicy
    from tasks.recogniser import Recogniser


LOADER = "loader.pickle"  # file of a runtime that exports none


@dataclass(frozen=True)
class Subject:
    """Input of a runtime: names and files instead of a network, so that it can be sent to another process."""

    architecture: str  # ``name`` or ``name:variant``
    classes: int
    weights: Path  # safetensors or packed
    characters: Characters  # native-size validation characters, for timing and calibration
    policy: "ExitPolicy | None" = None  # exit policy for networks with early exits; None for the one of the weights
    # For the metadata of an exported file: the system's name, class names, and the record of the weights so far.
    system: str = ""
    labels: tuple[str, ...] = ()  # numbers if there is not one for each class
    record: Mapping[str, Any] = field(default_factory=dict)
    in_fp32: tuple[int, ...] = ()  # convolutions of each stage that int8 leaves in fp32; empty to choose

    def load(self) -> "Recogniser":
        """Load the recogniser; this imports torch."""
        from tasks.recogniser import load_recogniser

        recogniser = load_recogniser(self.architecture, self.classes, self.weights)
        return recogniser if self.policy is None else recogniser.with_policy(self.policy)


class Classifier(Protocol):
    """Interface of a recogniser in any runtime, also of ``tasks.recogniser.Recogniser``."""

    def preprocess(self, image: NDArray[np.uint8]) -> Any:
        """The network's input for a native-size character, uint8 (h, w) or (h, w, 3).

        It does the same work as the first part of a call; if the resize is part of a graph, that part runs alone.
        """
        ...

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities, float32 (classes,), of one native-size character."""
        ...


Loader = Callable[[], Classifier]
_threads = ContextVar("threads", default=1)


def threads() -> int:
    """Number of threads for classifiers made now; the process itself sets the threads of PyTorch and OpenCV."""
    return _threads.get()


@contextmanager
def with_threads(count: int) -> Iterator[None]:
    """Classifiers made in this context use ``count`` threads."""
    before = _threads.set(count)
    try:
        yield
    finally:
        _threads.reset(before)


def file_name(runtime: str) -> str:
    """Name of the file that ``prepare`` writes: the exported file, or the loader of a runtime that exports none.

    Raises:
        UnknownPlugin: no such runtime; the message lists the known ones.
    """
    check_runtimes(runtime)
    return exported_name(runtime) or LOADER


def prepare(runtime: str, subject: Subject, path: Path) -> None:
    """Write what ``open_prepared`` opens, atomically: the exported file, or the loader of a runtime without one."""
    file, _, form = runtime.partition("-")
    if exported_name(runtime):
        write_whole(path, RUNTIMES.load(file).export(subject, form))
    else:
        write_whole(path, pickle.dumps(make_loader(runtime, subject)))


def make_loader(runtime: str, subject: Subject) -> Loader:
    """The loader of a recogniser in a runtime without exported file, on the CPU; each call makes a new one."""
    file, _, form = runtime.partition("-")
    loader: Loader = RUNTIMES.load(file).prepare(subject, form)
    return loader


def open_prepared(runtime: str, path: Path) -> Loader:
    """The loader of a recogniser in this runtime, on the CPU, from a file of ``prepare``; each call makes a new one."""
    if exported_name(runtime):
        return partial(RUNTIMES.load(runtime.partition("-")[0]).load, path)
    loader: Loader = pickle.loads(path.read_bytes())
    return loader
