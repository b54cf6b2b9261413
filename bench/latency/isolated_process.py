"""The measuring process: one thread, alone, fresh for each system and runtime."""

import fcntl
import os
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from multiprocessing import forkserver, get_context
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any

from bench.latency.aggregate import joined
from bench.runtimes._base import Loader
from datamodules._characters import Characters

# Read by OpenMP, MKL and OpenBLAS when they load: before torch is imported.
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
# Imported once, in the server; each measuring process is a fork of it and starts in milliseconds.
_PRELOAD = ["torch", "torchvision", "cv2", "bench.latency.all_threads", "bench.runtimes.eager"]
# The protocol ends after 10 s of warm-up and 12 s in all, or after ten slow rounds; a loaded machine may take
# several times as long, and a process that takes longer than this hangs.
LIMIT_S = 180.0
_RUNNING: set[ForkServerProcess] = set()  # of all threads; see ``stopping``
_STOP = threading.Event()
_STARTING = threading.Lock()  # of the server: it is given an environment of its own
_FAREWELL_S = 5.0  # for a process that has answered to end by itself


class Stopped(BaseException):
    """The program ends: what a measuring process was asked for is not wanted any more, and is no error of its row."""


class MeasurementError(Exception):
    """A measurement that could not be taken; the text says what happened in the measuring process."""


def time_apart(
    prepare: Callable[[], Loader],
    characters: Characters,
    rounds: int,
    seed: int,
    limit_s: float = LIMIT_S,
    *,
    launches: int = 1,
    all_threads: bool = False,
) -> dict[str, Any]:
    """Run the timing protocol in processes of its own, one after the other, while no other one measures.

    Args:
        prepare: makes the classifier's loader there; a function of a module, or a ``functools.partial`` of one.
        characters: native-size inputs, cycled through.
        rounds: of the protocol, in each process.
        seed: of the order of blocks and of the bootstrap.
        limit_s: seconds after which a process is ended.
        launches: how many processes; each may be as fast or slow as its memory happens to lie.
        all_threads: time it with every thread as well, in the first process, when the protocol is done there.

    Returns: ``value``, nanoseconds per call, and its details; see ``bench.latency.aggregate.joined``.

    Raises:
        MeasurementError: an error in a process, as ``Type: text``; or it died, or took too long.
    """
    seen, beside = [], {}
    for number in range(launches):
        also = all_threads and number == 0
        answer = run_apart(partial(_time, prepare, characters, rounds, seed + number, also), limit_s)
        seen.append(answer.pop("launch"))
        beside.update(answer)
    return {**joined(seen, seed), **beside}


def run_apart(
    work: Callable[[], dict[str, Any] | None], limit_s: float = LIMIT_S, *, exclusive: bool = True
) -> dict[str, Any]:
    """Run any work in such a process: with one thread, torch loaded.

    Args:
        work: a function of a module, or a ``functools.partial`` of one.
        limit_s: seconds after which the process is ended.
        exclusive: while no other one measures, as all that reads a clock must; exports need not.

    Returns: what it returns; nothing is an empty dictionary.

    Raises:
        MeasurementError: as of ``time_apart``.
    """
    with alone() if exclusive else nullcontext():
        context = _server()
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=_measure, args=(sender, work), daemon=True)
        try:
            process.start()
            _RUNNING.add(process)
            if _STOP.is_set():
                raise Stopped
            sender.close()  # the other process has the only one left: its death ends the pipe
            answer = _answer(receiver, process, limit_s)
            process.join(_FAREWELL_S)  # killed, it could not release what a library in it has taken, such as semaphores
        except MeasurementError:
            if _STOP.is_set():
                raise Stopped from None
            raise
        finally:
            sender.close()
            receiver.close()
            _RUNNING.discard(process)
            _end(process)
    if "error" in answer:
        raise MeasurementError(answer["error"])
    return answer


@contextmanager
def stopping() -> Iterator[None]:
    """End every such process, and whoever waits for one, in any thread, with ``Stopped``."""
    _STOP.set()
    try:
        for process in tuple(_RUNNING):
            with suppress(ProcessLookupError, ValueError):  # it has ended, and is closed
                process.kill()
        yield
    finally:
        _STOP.clear()


@contextmanager
def alone() -> Iterator[None]:
    """Hold the machine's measuring lock: a second program that wants to measure waits here."""
    # Not in the cache folder: programs with caches of their own must not measure side by side either.
    with (Path(tempfile.gettempdir()) / f"hccr-bench-measuring-{os.getuid()}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _server() -> ForkServerContext:
    """The context whose server has torch loaded for one thread; started on first use."""
    context = get_context("forkserver")
    with _STARTING:
        context.set_forkserver_preload(_PRELOAD)
        before = {name: os.environ.get(name) for name in _ONE_THREAD}
        os.environ.update(_ONE_THREAD)
        try:
            forkserver.ensure_running()
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value
    return context


def _answer(receiver: Connection, process: ForkServerProcess, limit_s: float) -> dict[str, Any]:
    try:
        if receiver.poll(limit_s):
            answer: dict[str, Any] = receiver.recv()
            return answer
    except EOFError:
        process.join()
        code = process.exitcode or 0
        how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        raise MeasurementError(
            f"the measuring process ended {how} before it answered; its last words, if any, are on stderr"
        ) from None
    raise MeasurementError(f"the measuring process gave no answer within {limit_s:g} s and was ended")


def _end(process: ForkServerProcess) -> None:
    """Leave neither a running process nor a zombie."""
    if process.pid is not None:  # it was started
        with suppress(ProcessLookupError):
            process.kill()
        process.join()
        process.close()


def _measure(sender: Connection, work: Callable[[], dict[str, Any] | None]) -> None:
    """What the measuring process does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes; the parent answers it and ends this
    os.dup2(2, 1)  # a runtime that prints must not spoil the JSON on the parent's stdout
    os.environ.update(_ONE_THREAD)  # where another part of the program had started the server first
    try:
        answer = work() or {}
    except Exception as error:  # only text crosses to the parent, which raises it again
        answer = {"error": f"{type(error).__name__}: {error}"}
    sender.send(answer)


def _time(
    prepare: Callable[[], Loader], characters: Characters, rounds: int, seed: int, all_threads: bool
) -> dict[str, Any]:
    from bench.latency.all_threads import time_all_threads  # these import torch, which the parent need not do
    from bench.latency.paired_blocks import time_paired

    launch = time_paired(prepare, characters, rounds, seed)
    return {"launch": launch, **(time_all_threads(prepare(), characters) if all_threads else {})}
