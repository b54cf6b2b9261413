"""Shows the progress of a run on stderr: live bars on a terminal, one line per row elsewhere."""

import time
from collections.abc import Sequence

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from bench.training.events import Event

NAMES = {"train": "training", "export": "exporting", "time": "timing"}


class Bars:
    """Progress bars of a run: call it with each event.

    Args:
        console: on stderr.
        seconds: estimated (training, exporting, timing) of each row, in order; zeros for rows that are kept.
        parallel: rows that train, or are exported, in parallel.
    """

    def __init__(self, console: Console, seconds: Sequence[tuple[float, float, float]], parallel: int = 1) -> None:
        self.console = console
        self.training = [training / parallel for training, _, _ in seconds]
        self.exporting = [exporting / parallel for _, exporting, _ in seconds]
        self.timing = [timing for _, _, timing in seconds]
        self.total = sum(self.training) + sum(self.exporting) + sum(self.timing)
        self.trained: dict[int, float] = {}  # completed part of the estimated training seconds, by row number
        self.started = time.monotonic()
        self.bars = Progress(
            TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[note]}"), TimeElapsedColumn(),
            TimeRemainingColumn(), console=console, transient=True, disable=not console.is_terminal,
        )  # fmt: skip
        self.all_rows = self.bars.add_task("rows", note="", total=self.total)
        self.row_bars: dict[int, TaskID] = {}  # bars of the rows in training, by row number

    def __enter__(self) -> "Bars":
        self.bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bars.stop()

    def __call__(self, event: Event) -> None:
        """Show an event."""
        if event.kind == "phase":
            self._phase(event)
        elif event.kind == "epoch":
            self._epoch(event)
        elif event.kind == "trained":
            self._done_training(event.row, 1)
            if event.row in self.row_bars:
                self.bars.remove_task(self.row_bars.pop(event.row))
        elif event.kind == "recorded":
            self._failures(event)

    def _phase(self, event: Event) -> None:
        """Show that a row enters a phase; training, exporting and timing are three passes over all rows."""
        system, before = event.record["system"], event.row - 1
        passed = sum(self.trained.values())
        if event.phase == "export":
            passed = sum(self.training) + sum(self.exporting[:before])
        if event.phase == "time":
            passed = sum(self.training) + sum(self.exporting) + sum(self.timing[:before])
        name = f"{NAMES[event.phase]} {event.row}/{event.rows}"
        self.bars.update(self.all_rows, completed=passed, note=name)
        if not self.console.is_terminal:
            minutes, remaining = (time.monotonic() - self.started) / 60, (self.total - passed) / 60
            self.console.print(f"{minutes:5.1f} min, about {remaining:.1f} left  {name}  {system}", highlight=False)
        if event.phase == "train":
            self.row_bars[event.row] = self.bars.add_task(system, note="")

    def _epoch(self, event: Event) -> None:
        task = self.row_bars[event.row]
        self.bars.update(task, total=event.epochs, completed=event.done)
        if "val_accuracy" in event.scores:
            accuracy = f"validation {event.scores['val_accuracy']:.1%}"
            self.bars.update(task, note=f"epoch {int(event.done)}/{event.epochs}, {accuracy}")
        self._done_training(event.row, event.done / event.epochs)

    def _done_training(self, row: int, share: float) -> None:
        self.trained[row] = self.training[row - 1] * share
        self.bars.update(self.all_rows, completed=sum(self.trained.values()))

    def _failures(self, event: Event) -> None:
        """Print a row's errors as soon as it is recorded."""
        record = event.record
        if record["status"] == "failed":
            self.console.print(f"{record['system']} failed: {record['error']}", style="red", highlight=False)
        for name, result in record["measurements"].items():
            reason = result.get("error") or ", ".join(result.get("incomplete") or ())
            if reason:
                prefix = "" if "error" in result else "incomplete, no known cost: "
                self.console.print(f"{record['system']}, {name}: {prefix}{reason}", style="red", highlight=False)
