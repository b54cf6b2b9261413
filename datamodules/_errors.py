"""Errors that the user can fix: BenchError, UsageError and DataError."""

from collections.abc import Callable
from pathlib import Path


class BenchError(Exception):
    """An error that the user can fix; the command line prints its message without a traceback."""


class UsageError(BenchError):
    """The request is contradictory or names something that does not exist."""


class DataError(BenchError):
    """Bad input data: the message names the place, what was expected, what was found, and the next step.

    Args:
        file: the bad file.
        offset: byte offset of the error; 0 if it concerns the whole file.
        wanted: what the format requires.
        got: what the file contains.
        advice: what the user can do next.
    """

    def __init__(self, file: str | Path, offset: int, wanted: str, got: str, advice: str = "") -> None:
        self.file, self.offset, self.wanted, self.got, self.advice = str(file), offset, wanted, got, advice
        super().__init__(str(self))

    def __str__(self) -> str:
        text = f"{self.file}: byte {self.offset}: wanted {self.wanted}, got {self.got}"
        return f"{text}. {self.advice}" if self.advice else text


OnBad = Callable[[DataError], None]  # receives each bad record that is left out
