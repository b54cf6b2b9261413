"""Locks between processes, by a file: fcntl's, on Windows msvcrt's; the system releases those of a dead process."""

import importlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

POLL_S = 0.1  # between two attempts on Windows, whose blocking call gives up after ten seconds


def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


_FCNTL, _MSVCRT = _module("fcntl"), _module("msvcrt")


@contextmanager
def locked(path: Path, wait: Callable[[], object] = lambda: None) -> Iterator[None]:
    """Hold the lock on a file, which is created if missing; ``wait`` is called first if another process holds it.

    On a system with neither module nothing is locked: there, processes must not be started side by side.
    """
    with path.open("w") as file:
        if not _taken(file.fileno()):
            wait()
            _take(file.fileno())
        yield  # closing the file releases the lock


def is_locked(path: Path) -> bool:
    """Whether another process holds the lock on an existing file."""
    with path.open("r+") as file:
        return not _taken(file.fileno())


def _taken(descriptor: int) -> bool:
    """Take the lock if it is free; return whether this process holds it now."""
    try:
        if _FCNTL:
            _FCNTL.flock(descriptor, _FCNTL.LOCK_EX | _FCNTL.LOCK_NB)
        elif _MSVCRT:
            _MSVCRT.locking(descriptor, _MSVCRT.LK_NBLCK, 1)
    except (BlockingIOError, PermissionError):  # msvcrt raises the latter
        return False
    return True


def _take(descriptor: int) -> None:
    if _FCNTL:
        _FCNTL.flock(descriptor, _FCNTL.LOCK_EX)
    while not _FCNTL and not _taken(descriptor):
        time.sleep(POLL_S)
