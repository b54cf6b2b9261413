"""One holder at a time, with the lock of either system, and none where a system has neither."""

import threading
from pathlib import Path
from typing import Any

import pytest

from datamodules import _lock
from datamodules._lock import locked


class Msvcrt:
    """Windows' module: one holder at a time; another call fails."""

    LK_NBLCK = 2

    def __init__(self) -> None:
        self.busy = 2  # calls that fail, as if another process held the lock

    def locking(self, descriptor: int, mode: int, count: int) -> None:
        assert (mode, count) == (self.LK_NBLCK, 1)
        self.busy -= 1
        if self.busy >= 0:
            raise PermissionError(13, "Permission denied")


def test_the_second_waits_for_the_first(tmp_path: Path) -> None:
    events: list[str] = []
    waits = threading.Event()

    def second() -> None:
        with locked(tmp_path / "lock", waits.set):
            events.append("second")

    with locked(tmp_path / "lock", lambda: events.append("not free")):
        thread = threading.Thread(target=second)
        thread.start()
        assert waits.wait(20)
        events.append("first")
    thread.join(20)
    assert events == ["first", "second"]


def test_windows_is_asked_until_the_lock_is_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    system, waits = Msvcrt(), []
    monkeypatch.setattr(_lock, "_FCNTL", None)
    monkeypatch.setattr(_lock, "_MSVCRT", system)
    monkeypatch.setattr(_lock, "POLL_S", 0.001)
    with locked(tmp_path / "lock", lambda: waits.append(1)):
        assert (system.busy, waits) == (-1, [1])


@pytest.mark.parametrize("name", ["_FCNTL", "_MSVCRT"])
def test_a_lock_that_fails_otherwise_is_no_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    class Broken:
        LOCK_EX = LOCK_NB = LK_NBLCK = 1

        def flock(self, *arguments: Any) -> None:
            raise OSError(37, "No locks available")

        locking = flock

    monkeypatch.setattr(_lock, "_FCNTL", None)
    monkeypatch.setattr(_lock, name, Broken())
    with pytest.raises(OSError, match="No locks available"), locked(tmp_path / "lock"):
        pass


def test_without_both_nothing_is_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_lock, "_FCNTL", None)
    monkeypatch.setattr(_lock, "_MSVCRT", None)
    with locked(tmp_path / "lock"), locked(tmp_path / "lock"):
        assert (tmp_path / "lock").exists()
