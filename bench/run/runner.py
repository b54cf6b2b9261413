"""Runs a plan: trains missing rows, parents first, measures every row, and times all rows last."""

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
    """Complete every record of a plan that is not whole and current; without ``states``, they are looked up.

    Returns: the records of all rows, in the plan's order, including failed rows.

    Raises:
        RecordError: before any training, if an existing file is not a record of this schema.
    """
    states = resume_states(plan) if states is None else states
    rows = {(system, seed): RowRun(plan, system, seed, states[system, seed]) for system, seed in plan.rows}
    for generation in sorted({system.generation for system, _ in rows}):  # parents first
        _train_rows(plan, rows, generation, tell)
    if plan.runtimes:
        with alone():  # not while another program measures latency
            _export_rows(plan, rows, tell)
    _time_rows(rows, tell)
    return [row.record for row in rows.values()]


def _train_rows(plan: Plan, rows: Rows, generation: int, tell: Tell) -> None:
    """Train and measure the rows of a generation that are not kept, in sequence or in parallel."""

    def jobs() -> Iterator[Job]:
        for number, (key, row) in enumerate(rows.items(), 1):
            if row.system.generation != generation:
                continue
            parent = rows[row.system.parent, row.seed] if row.system.parent else None
            if parent is not None and not parent.kept:  # it may have other weights now
                children = [r for r in rows.values() if r.system.parent == row.system and r.seed == row.seed]
                row.resume(resume_state(plan, *key, weights_needed=any(not child.kept for child in children)))
            if not row.kept and row.record["status"] == "partial":
                tell_row = _row_events(row, number, len(rows), tell)
                tell_row(Event("phase", phase="train"))
                yield Job(partial(row.train_and_measure, parent), tell_row, partial(_finish, row, tell_row))

    parallel = plan.request.hardware.parallel
    if parallel > 1:
        several = sum(row.system.generation == generation and not row.kept for row in rows.values())
        run_parallel(jobs(), max(1, min(parallel, several)))  # a single row gets all threads
        return
    for job in jobs():
        job.ended(job.work(job.tell), "")


def _export_rows(plan: Plan, rows: Rows, tell: Tell) -> None:
    """Export rows for their runtimes in parallel: a thread per row waits for the exporting process."""
    with ThreadPoolExecutor(plan.request.hardware.parallel) as pool:
        try:
            numbered = [(number, row) for number, row in enumerate(rows.values(), 1) if row.unfinished]
            exports = [(number, row, pool.submit(row.export)) for number, row in numbered]
            for number, row, future in exports:
                _row_events(row, number, len(rows), tell)(Event("phase", phase="export"))
                future.result()
        except KeyboardInterrupt:
            with stopping():
                pool.shutdown(cancel_futures=True)
            raise


def _time_rows(rows: Rows, tell: Tell) -> None:
    """Time one row after the other; then those again whose latency is noisy, when the machine may be quieter."""
    noisy = []
    for number, row in enumerate(rows.values(), 1):
        tell_row = _row_events(row, number, len(rows), tell)
        tell_row(Event("phase", phase="time"))
        row.time()
        if row.noisy:
            noisy.append((row, tell_row))
        else:
            tell_row(Event("recorded", kept=row.kept))
    for row, tell_row in noisy:
        tell_row(Event("phase", phase="time"))
        row.time_again()
        tell_row(Event("recorded", kept=False))


def _row_events(row: RowRun, number: int, rows: int, tell: Tell) -> Tell:
    """Passes events on with the row's number and record."""
    return lambda event: tell(replace(event, row=number, rows=rows, record=row.record))


def _finish(row: RowRun, tell: Tell, record: Record | None, reason: str) -> None:
    """Store the record of a row's process, or the reason why there is none."""
    tell(Event("trained"))
    if record is None:
        row.fail(RuntimeError(reason))
    else:
        row.record = record
