"""Live bars on a terminal, one line a row elsewhere; all of it on stderr."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

NAMES = {"train": "training", "export": "exporting", "time": "timing"}


class Bars:
    """The reporter of a run: which rows, which epochs, how long still.

    Args:
        console: on stderr.
        seconds: estimated (training, exporting, timing) of each row, in their order; what is kept takes none.
        abreast: rows that train, or are exported, at once.
    """

    def __init__(self, console: Console, seconds: Sequence[tuple[float, float, float]], abreast: int = 1) -> None:
        self.console = console
        self.training = [training / abreast for training, _, _ in seconds]
        self.exporting = [exporting / abreast for _, exporting, _ in seconds]
        self.timing = [timing for _, _, timing in seconds]
        self.total = sum(self.training) + sum(self.exporting) + sum(self.timing)
        self.trained: dict[int, float] = {}  # by the row's number, estimated seconds that are over
        self.started = time.monotonic()
        self.bars = Progress(
            TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[note]}"), TimeElapsedColumn(),
            TimeRemainingColumn(), console=console, transient=True, disable=not console.is_terminal,
        )  # fmt: skip
        self.rows = self.bars.add_task("rows", note="", total=self.total)

    def __enter__(self) -> "Bars":
        self.bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bars.stop()

    def row(self, number: int, of: int, system: str, phase: str) -> "Epochs":
        """A row enters a phase; training, exporting and timing are three passes over all rows."""
        passed = sum(self.trained.values())
        if phase == "export":
            passed = sum(self.training) + sum(self.exporting[: number - 1])
        if phase == "time":
            passed = sum(self.training) + sum(self.exporting) + sum(self.timing[: number - 1])
        self.bars.update(self.rows, completed=passed, note=f"{NAMES[phase]} {number}/{of}")
        if not self.console.is_terminal:
            minutes = (time.monotonic() - self.started) / 60
            left = (self.total - passed) / 60
            said = f"{minutes:5.1f} min, about {left:.1f} left  {NAMES[phase]} {number}/{of}  {system}"
            self.console.print(said, highlight=False)
        return Epochs(self, number, system if phase == "train" else None)

    def passed(self, number: int, share: float) -> None:
        """So much of a row's training is over."""
        self.trained[number] = self.training[number - 1] * share
        self.bars.update(self.rows, completed=sum(self.trained.values()))

    def done(self, record: Mapping[str, Any], kept: bool) -> None:
        """A failed row is said at once."""
        if record["status"] == "failed":
            self.console.print(f"{record['system']} failed: {record['error']}", style="red", highlight=False)
        for name, found in record["measurements"].items():
            why = found.get("error") or ", ".join(found.get("incomplete") or ())
            if why:
                word = "" if "error" in found else "incomplete, no known cost: "
                self.console.print(f"{record['system']}, {name}: {word}{why}", style="red", highlight=False)


class Epochs:
    """The bar of one row that trains; none for a row that is timed."""

    def __init__(self, bars: Bars, number: int, system: str | None) -> None:
        self.bars, self.number = bars, number
        self.task = None if system is None else bars.bars.add_task(system, note="")

    def epoch(self, done: float, of: int, scores: dict[str, float]) -> None:
        """``done`` of ``of`` epochs are over."""
        if self.task is None:
            return
        note = f"epoch {int(done)}/{of}"
        if "val_accuracy" in scores:
            note += f", validation {scores['val_accuracy']:.1%}"
            self.bars.bars.update(self.task, note=note)
        self.bars.bars.update(self.task, total=of, completed=done)
        self.bars.passed(self.number, done / of)

    def ended(self) -> None:
        """The bar goes."""
        if self.task is not None:
            self.bars.passed(self.number, 1)
            self.bars.bars.remove_task(self.task)
            self.task = None
