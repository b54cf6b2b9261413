"""Runs one row: trains or resumes it, measures, exports and times it, and writes its record."""

import json
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from bench.deploy.calibration import CALIBRATION
from bench.measurements._row import Row
from bench.plugins import exported_name
from bench.records.predictions import EXPORTED, read_predictions, write_predictions
from bench.records.provenance import provenance, source_state
from bench.records.record import new_record, status_of, write_record
from bench.run.compress import compress
from bench.run.measure import describe, export, measure_in_runtimes, measure_phase, measurement_modules
from bench.run.parents import Parent, discard_checkpoint_of_other_parent, load_parent
from bench.run.plan import Plan
from bench.run.resume import BEGUN, TRAINED, ResumeState, begun_key, copy_training, training_key
from bench.system import System
from bench.training.events import Event, Tell
from bench.training.train import load_pretrained, predict, train
from datamodules._files import sha256, write_whole
from tasks.classification import ClassificationTask
from tasks.compression.storage import Storage
from tasks.recogniser import load_recogniser

Record = dict[str, Any]
RETIMED_ROUNDS = 30  # of a scale whose noisy latencies are measured twice; shorter timings are for trying out


class RowRun:
    """A row of a run.

    Attributes:
        system, seed: of the row.
        state: results of an earlier run.
        record: the record so far.
        kept: whether the record is that of an earlier run, whole and current.
    """

    def __init__(self, plan: Plan, system: System, seed: int, state: ResumeState) -> None:
        self.plan, self.system, self.seed = plan, system, seed
        self.folder = plan.folder(system, seed)
        self._modules = measurement_modules(plan.measurements(system))
        self._deployed = plan.deployed(system)
        self.resume(state)

    def resume(self, state: ResumeState) -> None:
        """Start from the record of an earlier run if it is current, else from a new one."""
        self.state, self.kept = state, state.todo == "nothing"
        facts = {name: value for name, value in state.facts.items() if name != "machine"}
        new = new_record(**provenance(self.plan.request.command), **facts, measurements=dict(state.current))
        self.record: Record = state.record if self.kept else new
        if state.error is not None:
            self.fail(state.error)

    @property
    def unfinished(self) -> bool:
        """Whether exports and timing remain."""
        return not self.kept and self.record["status"] != "failed"

    def train_and_measure(self, parent: "RowRun | None", tell: Tell) -> Record:
        """Train, measure the figures, write the record and return it; an exception becomes the row's error."""
        started = time.monotonic()
        try:
            self._train(parent, tell)
            trained = time.monotonic()
            measure_phase("figures", self._measurable(), self._modules, self.record["measurements"])
            self.record["seconds"]["measure"] = round(time.monotonic() - trained, 1)
        except Exception as error:
            self._set_failed(error)
            self.record["seconds"]["measure"] = round(time.monotonic() - started, 1)
        self._write()
        return self.record

    def export(self) -> None:
        """Export the network for its runtimes, and compare their predictions with eager's."""
        self._remove_exports(unmeasured=True)
        self._continue(lambda row: export(row, self._deployed, self.record["measurements"], self.folder / EXPORTED))

    def time(self) -> None:
        """Run the measurements that need a quiet machine."""
        self._continue(self._time)
        self._remove_exports(unmeasured=False)

    @property
    def noisy(self) -> bool:
        """Whether a latency of this run was measured on a busy machine, and is worth another attempt."""
        measured = self.record["measurements"].values()
        return self.unfinished and self.plan.scale.rounds >= RETIMED_ROUNDS and any(m.get("noisy") for m in measured)

    def time_again(self) -> None:
        """Measure noisy latencies once more."""
        figures = self.record["measurements"]
        self.record["measurements"] = {name: one for name, one in figures.items() if not one.get("noisy")}
        self.time()

    def fail(self, error: Exception) -> None:
        """Record an error, and write the record."""
        self._set_failed(error)
        self._write()

    def _time(self, row: Row) -> None:
        measure_phase("timing", row, self._modules, self.record["measurements"])
        measure_in_runtimes(row, self._deployed, self.record["measurements"], self.folder / EXPORTED)

    def _remove_exports(self, unmeasured: bool) -> None:
        """Remove working files from the row's exports; with ``unmeasured``, also files that no figure is measured with.

        Exported files and the characters that int8 is calibrated on stay.
        """
        if not self.unfinished and unmeasured:
            return
        measured = {one.get("file_sha256") for one in self.record["measurements"].values()}
        for path in sorted((self.folder / EXPORTED).rglob("*"), reverse=True):  # the content of a folder first
            exported = path.parent.parent.name == EXPORTED and path.name == exported_name(path.parent.name)
            if path.is_dir():
                with suppress(OSError):  # not empty
                    path.rmdir()
            elif path.name != CALIBRATION and (not exported or (unmeasured and sha256(path) not in measured)):
                path.unlink()

    def _continue(self, work: Callable[[Row], None]) -> None:
        if not self.unfinished:
            return
        started = time.monotonic()
        try:
            work(self._measurable())
        except Exception as error:
            self._set_failed(error)
        self.record["seconds"]["measure"] += round(time.monotonic() - started, 1)
        self._write()

    def _train(self, parent: "RowRun | None", tell: Tell) -> None:
        trained = self.state.trained
        if trained is not None:
            copy_training(self.state, self.folder)
            self.record.update(trained)
            if trained["checkpoint_sha256"] != self.state.record.get("checkpoint_sha256"):
                self.record["measurements"] = {}  # they belong to other weights
            return
        self.record["measurements"] = {}  # they belong to other weights
        key = training_key(self.state.facts)
        if self.plan.request.fresh or begun_key(self.folder) != key:
            shutil.rmtree(self.folder, ignore_errors=True)  # never resume another training's checkpoint
            write_whole(self.folder / BEGUN, json.dumps(key, indent=1).encode())
        (self.folder / TRAINED).unlink(missing_ok=True)
        loaded = None
        if parent is not None:
            classes = self.plan.datamodule.info.classes
            loaded = load_parent(self.system, self.seed, parent.folder, training_key(parent.state.facts), classes)
        if self.system.storage is None or self.system.learned:
            tell(Event("training"))
        if self.system.storage is not None and loaded is not None:
            result = self._compress(self.system.storage, loaded, tell)
        else:
            result = self._fit(loaded, tell)
        self.record.update(result)
        write_whole(self.folder / TRAINED, json.dumps(result, indent=1).encode())

    def _compress(self, storage: Storage, parent: Parent, tell: Tell) -> Record:
        """Compress the parent; returns entries for the record."""
        recipe, classes = self.plan.recipe(self.system), self.plan.datamodule.info.classes
        task = ClassificationTask(self.system.architecture, classes, recipe)
        return compress(self.plan, task, storage, self.seed, parent, self.folder / self.system.weights_file, tell)

    def _fit(self, parent: Parent | None, tell: Tell) -> Record:
        """Train, and predict the test split; returns entries for the record."""
        hardware, datamodule = self.plan.request.hardware, self.plan.datamodule
        weights = self.plan.pretrained_weights(self.system)
        start = self.plan.start_weights(self.system)
        setup = self.system.architecture, self.plan.recipe(self.system), datamodule, self.folder
        if weights is not None:
            task, outcome = load_pretrained(*setup, weights)
        else:
            if parent is not None:
                discard_checkpoint_of_other_parent(parent.weights, self.folder)
            task, outcome = train(*setup, self.seed, hardware, tell, parent.weights if parent else None, start)
        answers = predict(task, datamodule, hardware)
        write_predictions(self.folder, answers)
        return {
            **({"parent": parent.comparison(answers)} if parent else {}),
            "checkpoint_sha256": sha256(outcome.weights),
            "precision": outcome.precision,
            "trained_commit": source_state()[0],  # a later commit may do the measuring
            "seconds": {"train": round(outcome.seconds, 1), "measure": 0.0},
        }

    def _measurable(self) -> Row:
        weights, classes = self.folder / self.system.weights_file, self.plan.datamodule.info.classes
        return Row(
            system=self.system.name, architecture=self.system.architecture,
            recogniser=load_recogniser(self.system.architecture, classes, weights),
            datamodule=self.plan.datamodule, predictions=read_predictions(self.folder),
            weights=weights, classes=classes, rounds=self.plan.scale.rounds, seed=self.seed,
            measured=self.record["measurements"], accelerator=self.plan.request.hardware.accelerator,
            record=self.record, labels=self.plan.datamodule.labels,
        )  # fmt: skip

    def _set_failed(self, error: Exception) -> None:
        self.record.update(status="failed", error=describe(error))

    def _write(self) -> None:
        if self.record["status"] != "failed":
            self.record["status"] = status_of(self.record["measurements"])
        write_record(self.plan.request.out / "results", self.record)
