"""Weights & Biases beside the records: ``off`` imports nothing of it, and its failing never stops a run."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, Protocol

Mode = Literal["offline", "online"]

PROJECT = "hccr-bench"
INTERRUPTED = 130  # exit code of an interrupted command: 128 + SIGINT
INIT_TIMEOUT_S = 30  # an unreachable server must not hold up a run for longer


class Tracker(Protocol):
    """Who hears of rows, curves and boards."""

    def start(self, record: Mapping[str, Any]) -> None:
        """A row's training starts."""
        ...

    def point(self, record: Mapping[str, Any], scores: Mapping[str, float]) -> None:
        """One epoch's figures of a row that trains."""
        ...

    def row(self, record: Mapping[str, Any]) -> None:
        """A row's record is written."""
        ...

    def board(self, table: tuple[list[str], list[list[Any]]], picture: Path | None) -> None:
        """The run's board: columns and rows, and its picture as SVG."""
        ...

    def close(self) -> None:
        """The command ends, in whatever way; what is still open ends as interrupted."""
        ...


class NoTracker:
    """Tracks nothing."""

    def start(self, record: Mapping[str, Any]) -> None:
        """Nothing."""

    def point(self, record: Mapping[str, Any], scores: Mapping[str, float]) -> None:
        """Nothing."""

    def row(self, record: Mapping[str, Any]) -> None:
        """Nothing."""

    def board(self, table: tuple[list[str], list[list[Any]]], picture: Path | None) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


class WandbTracker:
    """One W&B run per row, with its configuration, curve and record, and one for the board; all in one group.

    Args:
        mode: ``offline`` or ``online``.
        folder: where W&B keeps its files.
        group: name under which the dashboard gathers this command's runs.
        warn: is told, once, what failed; nothing is tracked from then on.
    """

    def __init__(self, mode: Mode, folder: Path, group: str, warn: Callable[[str], None]) -> None:
        self.mode: Mode = mode
        self.folder, self.group, self.warn = folder, group, warn
        self.failed = False
        # By system and seed: a row's run stays open until the row is timed, which is after all training.
        self.runs: dict[tuple[str, int], Any] = {}
        self.told = False  # of a row of this command

    def start(self, record: Mapping[str, Any]) -> None:
        """Open the row's run with its configuration."""
        self._guarded(lambda: self._open(record))

    def point(self, record: Mapping[str, Any], scores: Mapping[str, float]) -> None:
        """Log one epoch of a row's curve."""
        self._guarded(lambda: self.runs[_key(record)].log(dict(scores)))

    def row(self, record: Mapping[str, Any]) -> None:
        """Store the record in the run's summary and close the run."""
        self.told = True
        self._guarded(lambda: self._close(record))

    def board(self, table: tuple[list[str], list[list[Any]]], picture: Path | None) -> None:
        """Log the board's table and picture in a run of their own; none where no row is new."""
        if self.told:
            self._guarded(lambda: self._board(table, picture))

    def close(self) -> None:
        """Finish the runs of rows that have no record yet."""
        while self.runs:
            _, run = self.runs.popitem()
            self._guarded(lambda run=run: run.finish(exit_code=INTERRUPTED))  # type: ignore[misc]

    def _guarded(self, action: Callable[[], None]) -> None:
        if self.failed:
            return
        try:
            action()
        except Exception as error:  # whatever W&B raises, the run and its records go on
            self.failed = True
            self.warn(f"W&B stopped ({type(error).__name__}: {error}); the run goes on without it")

    def _init(self, name: str, job: str, config: Mapping[str, Any]) -> Any:
        import wandb

        self.folder.mkdir(parents=True, exist_ok=True)
        return wandb.init(
            project=PROJECT, group=self.group, name=name, job_type=job, config=dict(config), mode=self.mode,
            dir=str(self.folder), reinit="create_new",
            settings=wandb.Settings(
                silent=True, console="off", init_timeout=INIT_TIMEOUT_S, x_disable_meta=True, disable_git=True,
                disable_code=True, save_code=False, host="",
            ),
        )  # fmt: skip

    def _open(self, record: Mapping[str, Any]) -> None:
        keys = ("suite", "scale", "dataset", "system", "seed", "recipe", "machine", "versions", "commit")
        self.runs[_key(record)] = self._init(record["system"], "row", {key: record[key] for key in keys})

    def _close(self, record: Mapping[str, Any]) -> None:
        key = _key(record)
        if key not in self.runs:
            self._open(record)
        run = self.runs.pop(key)
        for name, found in record["measurements"].items():
            run.summary[name] = found.get("value")
        run.summary["record"] = dict(record)
        run.finish(exit_code=1 if record["status"] == "failed" else 0)

    def _board(self, table: tuple[list[str], list[list[Any]]], picture: Path | None) -> None:
        import wandb

        run = self._init("leaderboard", "board", {})
        logged: dict[str, Any] = {"leaderboard": wandb.Table(columns=table[0], data=table[1])}
        if picture is not None:
            logged["accuracy against latency"] = wandb.Html(picture.read_text(encoding="utf-8"))
        run.log(logged)
        run.finish()


def make_tracker(mode: Literal["off"] | Mode, folder: Path, group: str, warn: Callable[[str], None]) -> Tracker:
    """The tracker for ``--wandb``: off, offline or online."""
    return NoTracker() if mode == "off" else WandbTracker(mode, folder, group, warn)


def _key(record: Mapping[str, Any]) -> tuple[str, int]:
    return record["system"], record["seed"]
