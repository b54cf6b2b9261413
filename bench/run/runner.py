"""Rows become records: train what is missing, measure, and time last of all."""

import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from bench.latency.isolated_process import alone, stopping
from bench.measurements._row import Row
from bench.records.predictions import read_predictions, write_predictions
from bench.records.provenance import provenance, source_state
from bench.records.record import SCHEMA, RecordError, status_of, write_record
from bench.run.compress import store
from bench.run.measure import describe, export, take_figures, take_in_runtimes, takers
from bench.run.parents import beside_parent, forget_other, parent_of
from bench.run.plan import Plan
from bench.run.resume import BEGUN, TRAINED, Left, beforehand, begun, dataset, left, recipe, take_over, training_key
from bench.run.wandb_tracker import Tracker
from bench.system import System
from bench.training.parallel import Job, Listener, run_abreast
from bench.training.train import Progress, predict, take, train
from datamodules._files import sha256, write_whole
from tasks.recogniser import load_recogniser

Record = dict[str, Any]
EXPORTED = "exported"  # folder of a row, while it is measured in its runtimes


class RowProgress(Progress, Protocol):
    """Who is told how one row goes."""

    def ended(self) -> None:
        """The row is trained and measured, or has failed."""
        ...


class Reporter(Protocol):
    """Who is told how a run goes; the command line draws bars from it."""

    def row(self, number: int, of: int, system: str, phase: str) -> RowProgress:
        """Row ``number`` of ``of`` enters ``phase``: train, export or time."""
        ...

    def done(self, record: Mapping[str, Any], kept: bool) -> None:
        """A row's record is written, or kept from an earlier run."""
        ...


def run(plan: Plan, reporter: Reporter, tracker: Tracker) -> list[Record]:
    """Make every record of a plan that is not whole and current yet.

    Returns: the records of all rows, in the plan's order; failed rows included.

    Raises:
        RecordError: a file in the way is no record of this schema; nothing has been trained then.
    """
    results = plan.request.out / "results"
    rows = [_Row(plan, system, seed, results) for system, seed in plan.rows]
    for row in rows:
        row.begin()
    for generation in sorted({row.system.generation for row in rows}):  # parents first
        chosen = [(n, row) for n, row in enumerate(rows, 1) if row.system.generation == generation]
        for _, row in chosen if generation else ():
            row.begin()  # what is left of it depends on its parent, which may be another one by now
        _train_rows(chosen, len(rows), plan.request.hardware.abreast, reporter, tracker)
    if plan.runtimes:
        with alone():  # what another program times must not run beside it
            _export_rows(rows, plan.request.hardware.abreast, reporter)
    for number, row in enumerate(rows, 1):
        reporter.row(number, len(rows), row.name, "time")
        row.time()
        if not row.kept:
            tracker.row(row.record)
        reporter.done(row.record, row.kept)
    return [row.record for row in rows]


def _train_rows(rows: list[tuple[int, "_Row"]], of: int, abreast: int, reporter: Reporter, tracker: Tracker) -> None:
    """Train and measure what is not kept: one row after another, or several abreast."""

    def jobs() -> Iterator[Job]:
        for number, row in rows:
            if not row.kept and row.record["status"] == "partial":
                progress = reporter.row(number, of, row.name, "train")
                yield Job(row.train_and_measure, _Told(row, progress, tracker), partial(_take, row, progress))

    if abreast > 1:
        run_abreast(jobs(), abreast)
        return
    for job in jobs():
        job.ended(job.work(job.listener), "")


def _export_rows(rows: list["_Row"], abreast: int, reporter: Reporter) -> None:
    """What the rows' runtimes need, some rows at once: each is made in a process that this one waits for."""
    with ThreadPoolExecutor(abreast) as pool:
        try:
            done = [(number, row, pool.submit(row.export)) for number, row in enumerate(rows, 1) if row.unfinished]
            for number, row, future in done:
                reporter.row(number, len(rows), row.name, "export")
                future.result()
        except KeyboardInterrupt:
            with stopping():
                pool.shutdown(cancel_futures=True)
            raise


def _take(row: "_Row", progress: RowProgress, record: Record | None, how: str) -> None:
    """A row's process has ended, with or without a record."""
    progress.ended()
    if record is None:
        row.fail(RuntimeError(how))
    else:
        row.record = record


class _Row:
    """One row on its way from nothing, or from what an earlier run left, to a whole record."""

    def __init__(self, plan: Plan, system: System, seed: int, results: Path) -> None:
        self.plan, self.system, self.seed, self.results = plan, system, seed, results
        self.name = system.name
        self.folder = plan.folder(system, seed)
        self.modules = takers(plan.measurements(system))
        self.deployed = plan.deployed(system)
        self.record: Record = {}
        self.kept = False
        self.left = Left({}, {}, None, "train")

    def begin(self) -> None:
        """Start from the record that is there, where it is current, else from a blank one."""
        self.record = self._blank()
        try:
            self.left = left(self.plan, self.system, self.seed)
            self.record["recipe"] = recipe(self.plan, self.system)
            self.record.update(beforehand(self.plan, self.system))
        except RecordError:
            raise
        except Exception as error:  # a plug-in's settings that recipes do not have
            self.fail(error)
            return
        self.kept = self.left.todo == "nothing"
        if self.kept:
            self.record = self.left.record
        else:
            self.record["measurements"] = dict(self.left.current)

    def train_and_measure(self, listener: Listener) -> Record:
        """Train, and take the figures; a failure becomes the row's error. Returns the record, which is written too."""
        started = time.monotonic()
        try:
            self._train(listener)
            trained = time.monotonic()
            take_figures("figures", self._measurable(), self.modules, self.record["measurements"])
            self.record["seconds"]["measure"] = round(time.monotonic() - trained, 1)
        except Exception as error:
            self._fail(error)
            self.record["seconds"]["measure"] = round(time.monotonic() - started, 1)
        self._write()
        return self.record

    @property
    def unfinished(self) -> bool:
        """Whether more is measured of it than its figures."""
        return not self.kept and self.record["status"] != "failed"

    def export(self) -> None:
        """What is timed of it in its runtimes."""
        shutil.rmtree(self.folder / EXPORTED, ignore_errors=True)  # of an interrupted run, of other code perhaps
        self._go_on(lambda row: export(row, self.deployed, self.record["measurements"], self.folder / EXPORTED))

    def time(self) -> None:
        """The measurements that need a quiet machine."""
        self._go_on(self._time)
        shutil.rmtree(self.folder / EXPORTED, ignore_errors=True)

    def _time(self, row: Row) -> None:
        take_figures("timing", row, self.modules, self.record["measurements"])
        take_in_runtimes(row, self.deployed, self.record["measurements"], self.folder / EXPORTED)

    def _go_on(self, work: Callable[[Row], None]) -> None:
        if not self.unfinished:
            return
        started = time.monotonic()
        try:
            work(self._measurable())
        except Exception as error:
            self._fail(error)
        self.record["seconds"]["measure"] += round(time.monotonic() - started, 1)
        self._write()

    def fail(self, error: Exception) -> None:
        """The row ends with an error, and its record says so."""
        self._fail(error)
        self._write()

    def _train(self, listener: Listener) -> None:
        trained = self.left.trained
        if trained is not None:
            take_over(self.left, self.folder)
            self.record.update(trained)
            if trained["checkpoint_sha256"] != self.left.record.get("checkpoint_sha256"):
                self.record["measurements"] = {}  # those of other weights
            return
        self.record["measurements"] = {}  # those of other weights
        key = training_key(self.record)
        if self.plan.request.fresh or begun(self.folder) != key:
            shutil.rmtree(self.folder, ignore_errors=True)  # another training's checkpoint must not be resumed
            write_whole(self.folder / BEGUN, json.dumps(key, indent=1).encode())
        (self.folder / TRAINED).unlink(missing_ok=True)
        if self.system.storage:
            if self.system.learned:
                listener.started(self.record)
            said = store(self.plan, self.system, self.seed, listener)
        else:
            said = self._fitted(listener)
        self.record.update(said)
        write_whole(self.folder / TRAINED, json.dumps(said, indent=1).encode())

    def _fitted(self, listener: Listener) -> Record:
        """Train, and answer the test split; what the record says of it."""
        listener.started(self.record)
        request, datamodule = self.plan.request, self.plan.datamodule
        begin, beside = None, None
        if self.system.parent:
            begin, beside = parent_of(self.plan, self.system, self.seed)
            forget_other(begin, self.folder)
        given = self.plan.given_to(self.system)
        made = self.system.architecture, self.plan.recipe(self.system), datamodule, self.folder
        task, outcome = take(*made, given) if given else train(*made, self.seed, request.hardware, listener, begin)
        answers = predict(task, datamodule, request.hardware)
        write_predictions(self.folder, answers)
        return {
            **({"parent": beside_parent(self.system, begin, beside, answers)} if begin and beside else {}),
            "checkpoint_sha256": sha256(outcome.weights),
            "precision": outcome.precision,
            "trained_commit": source_state()[0],  # what measures it later may be newer
            "seconds": {"train": round(outcome.seconds, 1), "measure": 0.0},
        }

    def _measurable(self) -> Row:
        weights = self.folder / self.system.weights_file
        recogniser = load_recogniser(self.system.architecture, self.plan.datamodule.info.classes, weights)
        return Row(
            system=self.name, architecture=self.system.architecture, recogniser=recogniser,
            datamodule=self.plan.datamodule, predictions=read_predictions(self.folder),
            weights=weights, classes=self.plan.datamodule.info.classes, rounds=self.plan.scale.rounds,
            seed=self.seed, measured=self.record["measurements"],
            accelerator=self.plan.request.hardware.accelerator,
        )  # fmt: skip

    def _fail(self, error: Exception) -> None:
        self.record["status"], self.record["error"] = "failed", describe(error)

    def _write(self) -> None:
        if self.record["status"] != "failed":
            self.record["status"] = status_of(self.record["measurements"])
        write_record(self.results, self.record)

    def _blank(self) -> Record:
        return {
            "schema": SCHEMA, "suite": self.plan.request.suite, "scale": self.plan.request.scale,
            "status": "partial", "error": None, "parent": None,
            "dataset": dataset(self.plan),
            "system": self.name, "weights": "trained", "seed": self.seed, "recipe": None, "precision": None,
            "checkpoint_sha256": None, **provenance(self.plan.request.command), "measurements": {},
        }  # fmt: skip


class _Told:
    """Passes on how a row's training goes to who reports and who tracks."""

    def __init__(self, row: _Row, progress: RowProgress, tracker: Tracker) -> None:
        self.row, self.progress, self.tracker = row, progress, tracker

    def started(self, record: Record) -> None:
        self.tracker.start(record)

    def epoch(self, done: float, of: int, scores: dict[str, float]) -> None:
        self.progress.epoch(done, of, scores)
        if scores:
            self.tracker.point(self.row.record, {"epoch": done, **scores})


__all__ = ["RecordError", "Reporter", "run"]
