"""A row in a runtime: exported once; every measurement in that runtime uses the same files."""

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.latency.isolated_process import run_apart
from bench.measurements._agreement import agree, answers
from bench.measurements._row import Row
from bench.plugins import exported_name
from bench.runtimes._base import Loader, Subject, file_name, make_loader, open_prepared, prepare
from datamodules._characters import Characters
from datamodules._files import sha256, write_whole
from tasks.early_exits.policy import ExitPolicy

EAGER = "eager"
# More than fit the first-level cache of a core; all of them where a small data set has fewer for validation.
_TIMED = 256
COMPARED = 1000  # validation characters on which a runtime is compared with eager
ANSWERED = 10_000  # most test characters: a paired difference of accuracy is then known to 0.1 point
# Export, calibration and a thousand answers of VGG-16 take less; a loaded machine may take several times as long.
_LIMIT_S = 900.0
# A large network answers as many characters as fit a third of that limit: ResNet-50 at 224 pixels takes 3e-11 s per
# multiply-add in ONNX Runtime, on one thread of a loaded AMD EPYC.
_SECONDS_PER_MAC = 3e-11
_MOST_BYTES = 1 << 29  # of the test images: four copies of them are in memory while they are sent to the process


@dataclass(frozen=True)
class Answers:
    """Most probable classes, ``top``, of the test characters at ``indices``; both int64 (n,)."""

    indices: NDArray[np.int64]
    top: NDArray[np.int64]


class Deployment:
    """One row in one runtime; expensive results are computed lazily in a separate process and cached.

    Args:
        row: its weights file, architecture and validation characters are used, not the network in memory.
        runtime: ``eager`` or another name of ``bench.runtimes``.
        folder: for exported files and answers; files of an earlier deployment of the same row are reused.
        policy: exit policy for a network with early exits; None for its own.

    Raises:
        MeasurementError: by its properties: the export failed, or the runtime is missing; its error as text.
        ValueError: by its properties: too few validation characters.
    """

    def __init__(self, row: Row, runtime: str, folder: Path, policy: ExitPolicy | None = None) -> None:
        self.row, self.runtime, self._folder, self._policy = row, runtime, folder, policy

    def with_policy(self, policy: ExitPolicy, name: str) -> "Deployment":
        """The same row with another exit policy, exported to the subfolder ``name``."""
        folder = self._folder / name
        folder.mkdir(exist_ok=True)
        return Deployment(self.row, self.runtime, folder, policy)

    @cached_property
    def characters(self) -> Characters:
        """Validation characters for timing and for int8 calibration."""
        return _packed(self.row, _TIMED)

    @cached_property
    def prepare(self) -> Callable[[], Loader]:
        """A function that returns the classifier's loader, in any process."""
        if self.runtime == EAGER:  # nothing to export
            return partial(make_loader, EAGER, self._subject)
        return partial(open_prepared, self.runtime, self.file)

    @cached_property
    def file(self) -> Path:
        """The exported file, or that of a loader; ``open_prepared`` opens it, also in a process without torch."""
        path = self._folder / file_name(self.runtime)
        if not path.exists():
            run_apart(partial(prepare, self.runtime, self._subject, path), _LIMIT_S, exclusive=False)
        return path

    @cached_property
    def file_sha256(self) -> str | None:
        """SHA-256 of the exported file; None for a runtime without one."""
        return sha256(self.file) if exported_name(self.runtime) else None

    @cached_property
    def agreement(self) -> dict[str, Any]:
        """Comparison of the runtime's answers with eager's, as ``agree`` returns it; empty for eager itself."""
        if self.runtime == EAGER:
            return {}
        path = self._folder / "agreement.json"
        if not path.exists():
            eager = partial(make_loader, EAGER, self._subject)
            work = partial(agree, self.prepare, eager, _packed(self.row, affordable(COMPARED, self._macs)))
            write_whole(path, json.dumps(run_apart(work, _LIMIT_S, exclusive=False)).encode())
        found: dict[str, Any] = json.loads(path.read_bytes())
        return found

    @cached_property
    def answers(self) -> Answers:
        """The runtime's answers to the test characters, or to as many, evenly spread, as fit the time limit."""
        path, test = self._folder / "answers.json", self.row.datamodule.test
        most = min(affordable(ANSWERED, self._macs), max(1, _MOST_BYTES // test.image(0).nbytes))
        indices = np.linspace(0, len(test) - 1, min(most, len(test))).astype(np.int64)
        if not path.exists():
            images = [test.image(int(index)) for index in indices]
            work = partial(answers, self.prepare, Characters.pack(images, [0] * len(images)))
            write_whole(path, json.dumps(run_apart(work, _LIMIT_S, exclusive=False)).encode())
        return Answers(indices, np.array(json.loads(path.read_bytes())["top"], np.int64))

    @property
    def _macs(self) -> int:
        """Multiply-adds of the row's network; 0 if unknown."""
        return self.row.measured.get("macs", {}).get("value") or 0

    @property
    def _subject(self) -> Subject:
        row = self.row
        return Subject(
            row.architecture, row.classes, row.weights.resolve(), self.characters, self._policy, row.system, row.labels,
            row.record, row.in_fp32.get(self.runtime, ()),
        )  # fmt: skip


def affordable(most: int, macs: int) -> int:
    """How many characters a network of ``macs`` multiply-adds answers within the time limit, at most ``most``."""
    return min(most, round(_LIMIT_S / 3 / (macs * _SECONDS_PER_MAC))) if macs else most


@contextmanager
def deployed(row: Row, runtime: str) -> Iterator[Deployment]:
    """A row in a runtime; its exported files are deleted at the end."""
    with tempfile.TemporaryDirectory() as folder:
        yield Deployment(row, runtime, Path(folder))


def _packed(row: Row, most: int) -> Characters:
    images = row.characters(most)
    return Characters.pack(images, [0] * len(images))
