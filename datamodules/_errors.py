"""What the user can mend: the base of every such error, and the one that bad data raises."""

from pathlib import Path


class BenchError(Exception):
    """Something that the user can mend: its text says all that is needed, and no traceback is shown."""


class UsageError(BenchError):
    """The request contradicts itself or asks for what does not exist."""


class DataError(BenchError):
    """Bad input data: names what was wanted, what came, where, and the next step.

    Args:
        file: the file at fault.
        offset: byte offset of the fault in it; 0 where the file as a whole is at fault.
        wanted: what the format asks for.
        got: what stands there.
        advice: what the user can do next.
    """

    def __init__(self, file: str | Path, offset: int, wanted: str, got: str, advice: str = "") -> None:
        self.file, self.offset, self.wanted, self.got, self.advice = str(file), offset, wanted, got, advice
        super().__init__(str(self))

    def __str__(self) -> str:
        text = f"{self.file}: byte {self.offset}: wanted {self.wanted}, got {self.got}"
        return f"{text}. {self.advice}" if self.advice else text
