"""Live bars on a terminal, one line a row elsewhere; all of it on stderr."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

NAMES = {"train": "training", "time": "timing"}


class Bars:
    """The reporter of a run: which row, which epoch, how long still.

    Args:
        console: on stderr.
        seconds: estimated (training, timing) of each row, in the order of the rows; what is kept takes none.
    """

    def __init__(self, console: Console, seconds: Sequence[tuple[float, float]]) -> None:
        self.console, self.seconds = console, seconds
        self.total = sum(map(sum, seconds))
        self.passed = self.current = 0.0  # estimated seconds before this phase of a row, and of it
        self.started = time.monotonic()
        self.bars = Progress(
            TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[note]}"), TimeElapsedColumn(),
            TimeRemainingColumn(), console=console, transient=True, disable=not console.is_terminal,
        )  # fmt: skip
        self.rows = self.bars.add_task("rows", note="", total=self.total)
        self.epochs = self.bars.add_task("", note="", visible=False)

    def __enter__(self) -> "Bars":
        self.bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bars.stop()

    def row(self, number: int, of: int, system: str, phase: str) -> "Bars":
        """A row enters a phase; training and timing are two passes over all rows."""
        before = self.seconds[: number - 1]
        self.passed, self.current = sum(train for train, _ in before), self.seconds[number - 1][0]
        if phase == "time":
            self.passed = sum(train for train, _ in self.seconds) + sum(timing for _, timing in before)
            self.current = self.seconds[number - 1][1]
        self.bars.update(self.rows, completed=self.passed, note=f"{NAMES[phase]} {number}/{of}")
        self.bars.reset(self.epochs, description=system, note="", visible=phase == "train")
        if not self.console.is_terminal:
            minutes = (time.monotonic() - self.started) / 60
            left = (self.total - self.passed) / 60
            said = f"{minutes:5.1f} min, about {left:.1f} left  {NAMES[phase]} {number}/{of}  {system}"
            self.console.print(said, highlight=False)
        return self

    def epoch(self, done: float, of: int, scores: dict[str, float]) -> None:
        """Epochs of the row that trains."""
        note = f"epoch {int(done)}/{of}"
        if "val_accuracy" in scores:
            note += f", validation {scores['val_accuracy']:.1%}"
            self.bars.update(self.epochs, note=note)
        self.bars.update(self.epochs, total=of, completed=done)
        self.bars.update(self.rows, completed=self.passed + self.current * done / of)

    def done(self, record: Mapping[str, Any], kept: bool) -> None:
        """A failed row is said at once."""
        if record["status"] == "failed":
            self.console.print(f"{record['system']} failed: {record['error']}", style="red", highlight=False)
        for name, found in record["measurements"].items():
            why = found.get("error") or ", ".join(found.get("incomplete") or ())
            if why:
                word = "" if "error" in found else "incomplete, no known cost: "
                self.console.print(f"{record['system']}, {name}: {word}{why}", style="red", highlight=False)
