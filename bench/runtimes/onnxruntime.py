"""ONNX Runtime on the CPU, in fp32, in int8, or in fp32 with weights stored in int8 (w8); the file resizes."""

from pathlib import Path
from typing import Any

from bench.deploy.onnx_session import open_session
from bench.runtimes._base import Classifier, Subject, threads
from bench.runtimes._exported import FileClassifier, exported

FORMS = ("int8", "w8")
FILE = "recogniser.onnx"
ALL_THREADS = True


def export(subject: Subject, form: str) -> bytes:
    """The content of an ONNX file: resize, network, labels and provenance; with early exits, they are in the graph."""
    from bench.deploy.exported_file import onnx_file

    return exported(subject, "onnxruntime", form, onnx_file)


def load(path: Path) -> Classifier:
    """Open an exported file."""
    return FileClassifier(path, _open_resize)


def _open_resize(graph: bytes) -> Any:
    session = open_session(graph, threads())
    return lambda images: session.run(None, {"image": images})[0]
