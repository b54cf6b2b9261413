"""PyTorch as it is, in the memory layout that the architecture states."""

from functools import partial

from bench.runtimes import Loader, Subject
from tasks.recogniser import load_recogniser


def prepare(subject: Subject, form: str) -> Loader:
    """The recogniser itself; there is only the plain form."""
    return partial(load_recogniser, subject.architecture, subject.classes, subject.weights)
