"""OpenVINO on the CPU (an optional dependency), in fp32 or int8; the resize is part of the exported graph."""

from pathlib import Path
from typing import Any

from bench.deploy.openvino_core import core, settings
from bench.runtimes._base import Classifier, Subject, threads
from bench.runtimes._exported import FileClassifier, exported

FORMS = ("int8",)
FILE = "recogniser.zip"
ALL_THREADS = True


def export(subject: Subject, form: str) -> bytes:
    """The content of a zip of OpenVINO's two files: resize, network with its early exits, labels and provenance.

    Raises:
        ModuleNotFoundError: OpenVINO is not installed; the message names the extra to install.
    """
    core()  # fails before the export, which takes long
    from bench.deploy.exported_file import openvino_file

    return exported(subject, "openvino", form, openvino_file)


def load(path: Path) -> Classifier:
    """Open an exported file."""
    return FileClassifier(path, _open_resize)


def _open_resize(graph: bytes) -> Any:
    request = core().compile_model(core().read_model(graph), "CPU", settings(threads())).create_infer_request()
    return lambda images: request.infer([images])[0].copy()
