"""PyTorch as it is, in the memory layout that the architecture states."""

from bench.runtimes import Subject
from tasks.recogniser import Recogniser, load_recogniser


def prepare(subject: Subject, form: str) -> Recogniser:
    """The recogniser itself; there is only the plain form."""
    return load_recogniser(subject.architecture, subject.classes, subject.weights)
