"""Runs a plan: trains what is missing, parents first, measures every row, and times all of them last."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

from bench.latency.isolated_process import alone, stopping
from bench.run.plan import Plan
from bench.run.resume import ResumeState, resume_state, resume_states
from bench.run.row import Record, RowRun
from bench.system import System
from bench.training.events import Event, Tell
from bench.training.parallel import Job, run_parallel

Rows = dict[tuple[System, int], RowRun]  # in the plan's order


def run(plan: Plan, tell: Tell, states: Mapping[tuple[System, int], ResumeState] | None = None) -> list[Record]:
    """Make every record of a plan that is not whole and current yet.

    Args:
        plan: of the run.
        tell: takes the events of the run.
        states: what an earlier run has left of each row; None to find out.

    Returns: the records of all rows, in the plan's order; failed rows included.

    Raises:
        RecordError: a file in the way is no record of this schema; nothing has been trained then.
    """
    states = resume_states(plan) if states is None else states
    rows = {(system, seed): RowRun(plan, system, seed, states[system, seed]) for system, seed in plan.rows}
    for generation in sorted({system.generation for system, _ in rows}):  # parents first
        _train_rows(plan, rows, generation, tell)
    if plan.runtimes:
        with alone():  # latency that another program measures must not run beside the export
            _export_rows(plan, rows, tell)
    for number, row in enumerate(rows.values(), 1):
        told = _teller(row, number, len(rows), tell)
        told(Event("phase", phase="time"))
        row.time()
        told(Event("recorded", kept=row.kept))
    return [row.record for row in rows.values()]


def _train_rows(plan: Plan, rows: Rows, generation: int, tell: Tell) -> None:
    """Train and measure the rows of a generation that are not kept, one after another or in parallel."""

    def jobs() -> Iterator[Job]:
        for number, (key, row) in enumerate(rows.items(), 1):
            if row.system.generation != generation:
                continue
            parent = rows[row.system.parent, row.seed] if row.system.parent else None
            if parent is not None and parent.is_trained_again:
                children = [one for one in rows.values() if one.system.parent == row.system and one.seed == row.seed]
                row.resume(resume_state(plan, *key, weights_wanted=any(not child.kept for child in children)))
            if not row.kept and row.record["status"] == "partial":
                told = _teller(row, number, len(rows), tell)
                told(Event("phase", phase="train"))
                yield Job(partial(row.train_and_measure, parent), told, partial(_take, row, told))

    parallel = plan.request.hardware.parallel
    if parallel > 1:
        run_parallel(jobs(), parallel)
        return
    for job in jobs():
        job.ended(job.work(job.tell), "")


def _export_rows(plan: Plan, rows: Rows, tell: Tell) -> None:
    """Export rows for their runtimes, several in parallel: each export runs in a process that a thread waits for."""
    with ThreadPoolExecutor(plan.request.hardware.parallel) as pool:
        try:
            numbered = [(number, row) for number, row in enumerate(rows.values(), 1) if row.unfinished]
            done = [(number, row, pool.submit(row.export)) for number, row in numbered]
            for number, row, future in done:
                _teller(row, number, len(rows), tell)(Event("phase", phase="export"))
                future.result()
        except KeyboardInterrupt:
            with stopping():
                pool.shutdown(cancel_futures=True)
            raise


def _teller(row: RowRun, number: int, rows: int, tell: Tell) -> Tell:
    """Adds to each event which row it is of."""
    return lambda event: tell(replace(event, row=number, rows=rows, record=row.record))


def _take(row: RowRun, tell: Tell, record: Record | None, how: str) -> None:
    """The process of a row has ended, with a record or without."""
    tell(Event("trained"))
    if record is None:
        row.fail(RuntimeError(how))
    else:
        row.record = record
