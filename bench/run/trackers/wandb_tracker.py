"""Logs to Weights & Biases: one W&B run per row and one for the board; a W&B failure never stops the benchmark."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from bench.training.events import Event

Mode = Literal["offline", "online"]

PROJECT = "hccr-bench"
INTERRUPTED = 130  # exit code of an interrupted command: 128 + SIGINT
INIT_TIMEOUT_S = 30  # limits the delay by an unreachable server


class WandbTracker:
    """Logs configuration, curve and record of each row: call it with each event of the run.

    wandb is imported with the first event.

    Args:
        mode: ``offline`` or ``online``.
        folder: for W&B's files.
        group: the dashboard's group for this command's runs.
        warn: called once with the first failure; logging stops then.
    """

    def __init__(self, mode: Mode, folder: Path, group: str, warn: Callable[[str], None]) -> None:
        self.mode: Mode = mode
        self.folder, self.group, self.warn = folder, group, warn
        self.failed = False
        # By system and seed; a run stays open until its row is timed, after all training.
        self.runs: dict[tuple[str, int], Any] = {}
        self.has_new_rows = False

    def __call__(self, event: Event) -> None:
        """Log an event."""
        record = event.record
        if event.kind == "training":
            self._guarded(lambda: self._open(record))
        elif event.kind == "epoch" and event.scores:
            point = {"epoch": event.done, **event.scores}
            self._guarded(lambda: self.runs[_key(record)].log(point))
        elif event.kind == "recorded" and not event.kept:
            self.has_new_rows = True
            self._guarded(lambda: self._close(record))

    def board(self, table: tuple[list[str], list[list[Any]]], picture: Path | None) -> None:
        """Log the board's table (columns, rows) and SVG in a separate run, unless no row is new."""
        if self.has_new_rows:
            self._guarded(lambda: self._board(table, picture))

    def close(self) -> None:
        """Finish the runs of rows without a record, marked as interrupted."""
        while self.runs:
            _, run = self.runs.popitem()
            self._guarded(lambda run=run: run.finish(exit_code=INTERRUPTED))  # type: ignore[misc]

    def _guarded(self, action: Callable[[], None]) -> None:
        if self.failed:
            return
        try:
            action()
        except Exception as error:  # the benchmark and its records continue
            self.failed = True
            self.warn(f"W&B stopped ({type(error).__name__}: {error}); the run continues without it")

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
        run.summary.update({name: result.get("value") for name, result in record["measurements"].items()})
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


def _key(record: Mapping[str, Any]) -> tuple[str, int]:
    return record["system"], record["seed"]
