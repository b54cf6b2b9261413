"""PyTorch as it is, in the memory layout that the architecture states."""

import copy

from bench.runtimes._base import Loader, Subject
from tasks.recogniser import Recogniser

ALL_THREADS = True


class EagerLoader:
    """The recogniser from its file, and further ones as copies of it: twenty are timed, and reading takes longer.

    Args:
        subject: what is loaded.
    """

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._first: Recogniser | None = None

    def __call__(self) -> Recogniser:
        """A recogniser whose weights lie in memory of their own."""
        if self._first is None:
            self._first = self._subject.load()
            return self._first
        return copy.deepcopy(self._first)


def prepare(subject: Subject, form: str) -> Loader:
    """The recogniser itself; there is only the plain form."""
    return EagerLoader(subject)
