"""Rows side by side, each in a process of its own: two threads get more done apart than together."""

import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from typing import Any, Protocol

import torch

from bench.training.train import Progress

Record = dict[str, Any]


class Listener(Progress, Protocol):
    """Who hears how a row's training goes."""

    def started(self, record: Record) -> None:
        """The row is not trained yet, and its training starts."""
        ...


@dataclass(frozen=True)
class Job:
    """One row to train and measure.

    Attributes:
        work: does it, in the row's process, and returns the record.
        listener: hears of it in this process.
        ended: takes the record here; or None and how the process ended, where it died before it had one.
    """

    work: Callable[[Listener], Record]
    listener: Listener
    ended: Callable[[Record | None, str], None]


def run_abreast(jobs: Iterable[Job], most: int) -> None:
    """Run jobs in processes that fork from this one, ``most`` at once; each gets its share of the threads.

    A fork shares this process's imports and data, so that two trainings fit the memory of little more than one, and
    gives back all that a training took. Nothing may have been learnt here before: PyTorch's gradients do not survive a
    fork.

    Args:
        jobs: taken one by one, when a place is free.
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
                sender.close()  # the row's process has the only one left: its death ends the pipe
                running[receiver] = process, job
            if not running:
                return
            ready = wait(list(running))
            for receiver in [pipe for pipe in running if pipe in ready]:
                _hear(receiver, running)
    finally:
        for receiver, (process, _) in running.items():
            process.kill()
            process.join()
            receiver.close()


def _hear(receiver: Connection, running: dict[Connection, tuple[ForkProcess, Job]]) -> None:
    process, job = running[receiver]
    record, how = None, ""
    try:
        event, told = receiver.recv()
        if event == "epoch":
            job.listener.epoch(*told)
            return
        if event == "started":
            job.listener.started(told)
            return
        record = told
    except EOFError:
        process.join()
        code = process.exitcode or 0
        how = f"its process ended {f'by signal {-code}' if code < 0 else f'with exit code {code}'}"
    del running[receiver]
    receiver.close()
    process.join()
    job.ended(record, how)


def _work(job: Job, sender: Connection, threads: int) -> None:
    """What a row's process does."""
    torch.set_num_threads(threads)
    try:
        sender.send(("ended", job.work(_Teller(sender))))
    except (KeyboardInterrupt, BrokenPipeError):
        raise SystemExit(1) from None  # Ctrl-C reaches all processes, and the first one answers it


class _Teller:
    """Tells the first process."""

    def __init__(self, sender: Connection) -> None:
        self.sender = sender

    def started(self, record: Record) -> None:
        self._send("started", record)

    def epoch(self, done: float, of: int, scores: dict[str, float]) -> None:
        self._send("epoch", (done, of, scores))

    def _send(self, event: str, told: object) -> None:
        try:
            self.sender.send((event, told))
        except BrokenPipeError:  # nobody is left to train for; not an error of the row
            raise KeyboardInterrupt from None
