"""PyTorch with torch.compile, in the memory layout that the architecture states; needs a C++ compiler."""

import os
import shutil
import sys
from functools import partial
from typing import Any

from bench.runtimes._base import Loader, Subject

ALL_THREADS = False  # another number of threads would need another compilation, which may take minutes


class NoCompilerError(RuntimeError):
    """torch.compile generates C++ code and finds no compiler for it."""


def prepare(subject: Subject, form: str) -> Loader:
    """Compile once, which may take minutes; each classifier then loads the code from torch's cache.

    Raises:
        NoCompilerError: no C++ compiler; the message names the one to install.
        ValueError: a network with early exits, whose stages are not compiled separately.
    """
    compiler = os.environ.get("CXX") or ("clang++" if sys.platform == "darwin" else "g++")  # torch's own choice
    if shutil.which(compiler) is None:
        raise NoCompilerError(f"torch.compile needs a C++ compiler, and there is no {compiler}: install it, or set CXX")
    compiled = partial(_compiled, subject)
    compiled()(subject.characters.image(0))
    return compiled


def _compiled(subject: Subject) -> Any:
    import torch
    import torch._inductor.config

    from tasks.early_exits.cascade import cascade_of

    torch._inductor.config.freezing = True  # weights are constants and packed once, as in the other runtimes
    torch._inductor.config.compile_threads = 1  # no worker processes that outlive the measuring process
    torch._dynamo.reset()  # each classifier is a separate copy, as in the other runtimes
    recogniser = subject.load()
    if cascade_of(recogniser.network) is not None:
        raise ValueError(
            f"{subject.architecture} has early exits, which this runtime does not support; use onnxruntime or openvino"
        )
    recogniser.network = torch.compile(recogniser.network)  # type: ignore[assignment]
    return recogniser
