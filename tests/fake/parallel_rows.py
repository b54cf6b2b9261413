"""Runs of rows in parallel, in a process that has computed nothing before, as the process of a command has not."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from fake.house import Heard, House, built_house

from bench.measurements import latency
from bench.run import row

NAMES = ("acme_tiny", "acme_step", "acme_tiny+paper")
Records = list[dict[str, Any]]


def in_fresh_process(scenario: Callable[[Path], Any], folder: Path) -> Any:
    """What a function of this module returns there; PyTorch cannot learn in a fork once its parent has."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(scenario, folder).result()


def together(folder: Path) -> tuple[Records, Heard]:
    """Three rows, two at once."""
    heard = Heard()
    with _house(folder) as house:
        return house.run(*NAMES, heard=heard, parallel=2), heard


def apart(folder: Path) -> Records:
    """The same rows, one after another."""
    with _house(folder) as house:
        return house.run(*NAMES)


def interrupted(folder: Path) -> tuple[bool, Records]:
    """Ctrl-C when the second of two rows starts: whether a process is left, and what the next run makes."""
    names = ("acme_tiny", "acme_tiny+paper")
    with _house(folder) as house:
        with pytest.raises(KeyboardInterrupt):
            house.run(*names, heard=Heard(("acme_tiny+paper", "train")), parallel=2)
        try:
            os.waitpid(-1, os.WNOHANG)
            left = True
        except ChildProcessError:  # there is none to wait for
            left = False
        return left, house.run(*names, parallel=2)


def killed(folder: Path) -> Records:
    """Two rows, the process of one of which is killed, as the system does when memory runs out."""
    real = row.predict

    def predict(task: Any, *rest: Any) -> Any:
        if task.recipe.name == "paper":
            os.kill(os.getpid(), 9)
        return real(task, *rest)

    with _house(folder) as house, pytest.MonkeyPatch.context() as patch:
        patch.setattr(row, "predict", predict)
        return house.run("acme_tiny", "acme_tiny+paper", parallel=2)


@contextmanager
def _house(folder: Path) -> Iterator[House]:
    """A house with a stopwatch that shows a millisecond at once."""
    with built_house(folder) as house, pytest.MonkeyPatch.context() as patch:
        shown = {"value": 1e6, "n": 10, "ratio_to_reference": 2.0}
        patch.setattr(latency, "time_apart", lambda *arguments, **named: dict(shown))
        yield house
