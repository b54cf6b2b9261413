"""PyTorch in eager mode, in the memory layout that the architecture states."""

import copy

from bench.runtimes._base import Loader, Subject
from tasks.recogniser import Recogniser

ALL_THREADS = True


class EagerLoader:
    """Loads the recogniser once, then copies it: up to twenty copies are timed, and copying is faster than loading."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._first: Recogniser | None = None

    def __call__(self) -> Recogniser:
        """A recogniser with its own copy of the weights."""
        if self._first is None:
            self._first = self._subject.load()
            return self._first
        return copy.deepcopy(self._first)


def prepare(subject: Subject, form: str) -> Loader:
    """Load the recogniser; eager has no other form."""
    return EagerLoader(subject)
