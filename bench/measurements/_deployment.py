"""A row in a runtime: exported once, for all that is measured of it there."""

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
from bench.runtimes._base import Loader, Subject, prepare, read_loader, write_loader
from datamodules._characters import Characters
from datamodules._files import write_whole
from tasks.early_exits.policy import ExitPolicy

EAGER = "eager"
# More than fit a core's first cache; small data sets have fewer to validate with, and then all of them are taken.
_TIMED = 256
COMPARED = 1000  # characters that a runtime answers as eager does, or not
ANSWERED = 10_000  # test characters at the most: a difference of accuracy in pairs is then known to 0.1 point
# Export, calibration and a thousand answers of VGG-16 take less; a loaded machine may take several times as long.
_LIMIT_S = 900.0
# Of a large network, so many as take a third of that: 3e-11 s a multiply-add is what ResNet-50 takes at 224 pixels in
# ONNX Runtime, on one thread of a loaded AMD EPYC.
_SECONDS_PER_MAC = 3e-11
_MOST_BYTES = 1 << 29  # of the images that are answered: they are in memory four times on the way to their process


@dataclass(frozen=True)
class Answers:
    """Most probable classes of test characters.

    Attributes:
        places: int64 (n,), the characters' numbers in the test part.
        top: int64 (n,).
    """

    places: NDArray[np.int64]
    top: NDArray[np.int64]


class Deployment:
    """A row in a runtime; what takes long is done when it is first asked for, in a process of its own, and kept.

    Attributes:
        row: what is deployed.
        runtime: ``eager`` or another name of ``bench.runtimes``.

    Args:
        row: its weights file, architecture and validation characters; the network itself stays here.
        runtime: as above.
        folder: for what is exported and compared; what a deployment of the same row left there is taken as it is.
        policy: of a network with early exits; None for its own.
    """

    def __init__(self, row: Row, runtime: str, folder: Path, policy: ExitPolicy | None = None) -> None:
        self.row, self.runtime, self._folder, self._policy = row, runtime, folder, policy

    def with_policy(self, policy: ExitPolicy, name: str) -> "Deployment":
        """The same row with another exit policy, whose exports lie in a folder of this name within this one's."""
        folder = self._folder / name
        folder.mkdir(exist_ok=True)
        return Deployment(self.row, self.runtime, folder, policy)

    @cached_property
    def characters(self) -> Characters:
        """Those that are timed, and that int8 is calibrated on.

        Raises:
            ValueError: too few validation characters.
        """
        return _packed(self.row, _TIMED)

    @cached_property
    def prepare(self) -> Callable[[], Loader]:
        """What gives the classifier's loader in any process.

        Raises:
            MeasurementError: the export failed, or the runtime is missing; its error as text.
        """
        if self.runtime == EAGER:  # nothing to export
            return partial(prepare, EAGER, self._subject)
        return partial(read_loader, self.loader_file)

    @cached_property
    def loader_file(self) -> Path:
        """The loader in a file, from which ``read_loader`` takes it, in a process without torch too.

        Raises:
            MeasurementError: as of ``prepare``.
        """
        path = self._folder / "loader.pickle"
        if not path.exists():
            run_apart(partial(write_loader, self.runtime, self._subject, path), _LIMIT_S, exclusive=False)
        return path

    @cached_property
    def agreement(self) -> dict[str, Any]:
        """How the runtime's answers compare with eager's; nothing to tell of eager itself.

        Raises:
            MeasurementError: export or comparison failed; its error as text.
        """
        if self.runtime == EAGER:
            return {}
        path = self._folder / "agreement.json"
        if not path.exists():
            eager = partial(prepare, EAGER, self._subject)
            work = partial(agree, self.prepare, eager, _packed(self.row, affordable(COMPARED, self._macs)))
            write_whole(path, json.dumps(run_apart(work, _LIMIT_S, exclusive=False)).encode())
        found: dict[str, Any] = json.loads(path.read_bytes())
        return found

    @cached_property
    def answers(self) -> Answers:
        """What the runtime answers on the test part, or on as much of it as there is time for, evenly spread.

        Raises:
            MeasurementError: the export failed, or the runtime is missing; its error as text.
        """
        path, test = self._folder / "answers.json", self.row.datamodule.test
        most = min(affordable(ANSWERED, self._macs), max(1, _MOST_BYTES // test.image(0).nbytes))
        places = np.linspace(0, len(test) - 1, min(most, len(test))).astype(np.int64)
        if not path.exists():
            images = [test.image(int(place)) for place in places]
            work = partial(answers, self.prepare, Characters.pack(images, [0] * len(images)))
            write_whole(path, json.dumps(run_apart(work, _LIMIT_S, exclusive=False)).encode())
        return Answers(places, np.array(json.loads(path.read_bytes())["top"], np.int64))

    @property
    def _macs(self) -> int:
        """Multiply-adds of the row's network, so far as they are known."""
        return self.row.measured.get("macs", {}).get("value") or 0

    @property
    def _subject(self) -> Subject:
        row = self.row
        return Subject(row.architecture, row.classes, row.weights.resolve(), self.characters, self._policy)


def affordable(most: int, macs: int) -> int:
    """How many characters a network of so many multiply-adds answers, ``most`` or as many as there is time for."""
    return min(most, round(_LIMIT_S / 3 / (macs * _SECONDS_PER_MAC))) if macs else most


@contextmanager
def deployed(row: Row, runtime: str) -> Iterator[Deployment]:
    """A row in a runtime, as long as its exported files are there."""
    with tempfile.TemporaryDirectory() as folder:
        yield Deployment(row, runtime, Path(folder))


def _packed(row: Row, most: int) -> Characters:
    images = row.characters(most)
    return Characters.pack(images, [0] * len(images))
