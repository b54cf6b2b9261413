"""Trains rows in parallel, one single-threaded process each: faster on two cores than two threads per row."""

import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any

import torch

from bench.training.events import Event, Tell

if TYPE_CHECKING:
    from multiprocessing.context import ForkProcess  # Windows has none

Record = dict[str, Any]


@dataclass(frozen=True)
class Job:
    """One row to train and measure.

    Attributes:
        work: runs in the row's process, and returns the record.
        tell: receives the row's events in the main process.
        ended: receives the record in the main process, or None and the reason if the row's process died.
    """

    work: Callable[[Tell], Record]
    tell: Tell
    ended: Callable[[Record | None, str], None]


def run_parallel(jobs: Iterable[Job], most: int) -> None:
    """Run jobs in forked processes, at most ``most`` at once, each with an equal share of the threads.

    Jobs are consumed lazily. Forks share imports and data, so two trainings need little more memory than one. This
    process must not have trained anything before: PyTorch's autograd does not survive a fork.

    Raises:
        KeyboardInterrupt: on Ctrl-C; the processes are killed.
    """
    context = get_context("fork")
    threads = max(1, torch.get_num_threads() // most)
    pending = iter(jobs)
    running: dict[Connection, tuple[ForkProcess, Job]] = {}
    try:
        while True:
            while len(running) < most and (job := next(pending, None)) is not None:
                receiver, sender = context.Pipe(duplex=False)
                process = context.Process(target=_work, args=(job, sender, threads))
                with warnings.catch_warnings():
                    # Python 3.12 and later. The other threads draw bars or serve W&B, which the fork does not use.
                    warnings.filterwarnings("ignore", ".*multi-threaded, use of fork.*", DeprecationWarning)
                    process.start()
                sender.close()  # then the pipe ends when the row's process dies
                running[receiver] = process, job
            if not running:
                return
            ready = wait(list(running))
            for receiver in [pipe for pipe in running if pipe in ready]:
                _receive(receiver, running)
    finally:
        for receiver, (process, _) in running.items():
            process.kill()
            process.join()
            receiver.close()


def _receive(receiver: Connection, running: dict[Connection, tuple["ForkProcess", Job]]) -> None:
    """Handle one event, the record, or the death of a process."""
    process, job = running[receiver]
    record, reason = None, ""
    try:
        received = receiver.recv()
        if isinstance(received, Event):
            job.tell(received)
            return
        record = received
    except EOFError:
        process.join()
        code = process.exitcode or 0
        reason = f"its process ended {f'by signal {-code}' if code < 0 else f'with exit code {code}'}"
    del running[receiver]
    receiver.close()
    process.join()
    job.ended(record, reason)


def _work(job: Job, sender: Connection, threads: int) -> None:
    """Run a job in the row's process; send its events and record through the pipe."""
    torch.set_num_threads(threads)

    def tell(event: Event) -> None:
        try:
            sender.send(event)
        except BrokenPipeError:  # the main process is gone; not an error of the row
            raise KeyboardInterrupt from None

    try:
        sender.send(job.work(tell))
    except (KeyboardInterrupt, BrokenPipeError):
        raise SystemExit(1) from None  # Ctrl-C reaches all processes; the main one handles it
