"""Live bars on a terminal, one line a row elsewhere; all of it on stderr."""

import time
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

NAMES = {"train": "training", "time": "timing"}


class Bars:
    """The reporter of a run: which row, which epoch, how long still.

    Args:
        console: on stderr.
        estimate_s: estimated seconds of the whole run.
    """

    def __init__(self, console: Console, estimate_s: float) -> None:
        self.console, self.estimate_s = console, estimate_s
        self.started = time.monotonic()
        self.bars = Progress(
            TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[note]}"), TimeElapsedColumn(),
            TimeRemainingColumn(), console=console, transient=True, disable=not console.is_terminal,
        )  # fmt: skip
        self.rows = self.bars.add_task("rows", note="", total=None)
        self.epochs = self.bars.add_task("", note="", visible=False)

    def __enter__(self) -> "Bars":
        self.bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bars.stop()

    def row(self, number: int, of: int, system: str, phase: str) -> "Bars":
        """A row enters a phase; training and timing are two passes over all rows."""
        passed = number - 1 + (of if phase == "time" else 0)
        self.bars.update(self.rows, total=2 * of, completed=passed, note=f"{NAMES[phase]} {number}/{of}")
        self.bars.reset(self.epochs, description=system, note="", visible=phase == "train")
        if not self.console.is_terminal:
            minutes = (time.monotonic() - self.started) / 60
            self.console.print(f"{minutes:5.1f} min  {NAMES[phase]} {number}/{of}  {system}", highlight=False)
        return self

    def epoch(self, done: float, of: int, scores: dict[str, float]) -> None:
        """Epochs of the row that trains."""
        note = f"epoch {int(done)}/{of}"
        if "val_accuracy" in scores:
            note += f", validation {scores['val_accuracy']:.1%}"
            self.bars.update(self.epochs, note=note)
        self.bars.update(self.epochs, total=of, completed=done)

    def done(self, record: Mapping[str, Any], kept: bool) -> None:
        """A failed row is said at once."""
        if record["status"] == "failed":
            self.console.print(f"{record['system']} failed: {record['error']}", style="red", highlight=False)
        for name, found in record["measurements"].items():
            if "error" in found:
                self.console.print(f"{record['system']}, {name}: {found['error']}", style="red", highlight=False)
