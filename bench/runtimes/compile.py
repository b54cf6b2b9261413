"""PyTorch compiled by torch.compile, in the memory layout that the architecture states; needs a C++ compiler."""

import os
import shutil
import sys
from functools import partial
from typing import Any

from bench.runtimes._base import Loader, Subject

ALL_THREADS = False  # what is compiled is for one thread: another number compiles anew, which may take minutes


class NoCompilerError(RuntimeError):
    """torch.compile makes C++ and finds nothing to compile it with."""


def prepare(subject: Subject, form: str) -> Loader:
    """Compile it once, which may take minutes; each classifier then finds its code in torch's cache.

    Raises:
        NoCompilerError: no C++ compiler; names what to install.
        ValueError: a network with early exits, whose stages torch.compile is not told of.
    """
    compiler = os.environ.get("CXX") or ("clang++" if sys.platform == "darwin" else "g++")  # as torch chooses
    if shutil.which(compiler) is None:
        raise NoCompilerError(f"torch.compile needs a C++ compiler, and there is no {compiler}: install it, or set CXX")
    compiled = partial(_compiled, subject)
    compiled()(subject.characters.image(0))
    return compiled


def _compiled(subject: Subject) -> Any:
    import torch
    import torch._inductor.config

    from tasks.early_exits.cascade import cascade_of

    torch._inductor.config.freezing = True  # weights are constants: packed once, as the other runtimes do
    torch._inductor.config.compile_threads = 1  # no helpers that outlive the measuring process
    torch._dynamo.reset()  # a copy of its own, as for every other runtime
    recogniser = subject.load()
    if cascade_of(recogniser.network) is not None:
        raise ValueError(
            f"{subject.architecture} has early exits, which this runtime does not run; take onnxruntime or openvino"
        )
    recogniser.network = torch.compile(recogniser.network)  # type: ignore[assignment]
    return recogniser
