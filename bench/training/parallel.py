"""Trains rows in parallel, one process each: two single-threaded trainings get more done than one of two threads."""

import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from typing import Any

import torch

from bench.training.events import Event, Tell

Record = dict[str, Any]


@dataclass(frozen=True)
class Job:
    """One row to train and measure.

    Attributes:
        work: does it, in the row's process, and returns the record.
        tell: takes the row's events, in the first process.
        ended: takes the record, in the first process; or None and how the process ended, where it died without one.
    """

    work: Callable[[Tell], Record]
    tell: Tell
    ended: Callable[[Record | None, str], None]


def run_parallel(jobs: Iterable[Job], most: int) -> None:
    """Run jobs in processes that fork from this one, ``most`` at once; each gets its share of the threads.

    A fork shares the imports and the data of this process, so that two trainings need little more memory than one, and
    frees all that a training took. Nothing may have been trained in this process before: PyTorch's gradients do not
    survive a fork.

    Args:
        jobs: taken one by one, as processes become free.
        most: processes at once.

    Raises:
        KeyboardInterrupt: on Ctrl-C; the processes are ended.
    """
    context = get_context("fork")
    threads = max(1, torch.get_num_threads() // most)
    waiting = iter(jobs)
    running: dict[Connection, tuple[ForkProcess, Job]] = {}
    try:
        while True:
            while len(running) < most and (job := next(waiting, None)) is not None:
                receiver, sender = context.Pipe(duplex=False)
                process = context.Process(target=_work, args=(job, sender, threads))
                with warnings.catch_warnings():
                    # Python 3.12 and later: the other threads draw bars or speak to W&B, which a fork does not.
                    warnings.filterwarnings("ignore", ".*multi-threaded, use of fork.*", DeprecationWarning)
                    process.start()
                sender.close()  # the row's process holds the only other one, so its death ends the pipe
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


def _receive(receiver: Connection, running: dict[Connection, tuple[ForkProcess, Job]]) -> None:
    """Take one event, or the record, or the end of a process."""
    process, job = running[receiver]
    record, how = None, ""
    try:
        received = receiver.recv()
        if isinstance(received, Event):
            job.tell(received)
            return
        record = received
    except EOFError:
        process.join()
        code = process.exitcode or 0
        how = f"its process ended {f'by signal {-code}' if code < 0 else f'with exit code {code}'}"
    del running[receiver]
    receiver.close()
    process.join()
    job.ended(record, how)


def _work(job: Job, sender: Connection, threads: int) -> None:
    """Do a job in the row's process; events and record go through the pipe."""
    torch.set_num_threads(threads)

    def tell(event: Event) -> None:
        try:
            sender.send(event)
        except BrokenPipeError:  # the first process is gone; not an error of the row
            raise KeyboardInterrupt from None

    try:
        sender.send(job.work(tell))
    except (KeyboardInterrupt, BrokenPipeError):
        raise SystemExit(1) from None  # Ctrl-C reaches all processes, and the first one answers it
