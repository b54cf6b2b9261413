"""Runs measurements in isolated processes: single-threaded, fresh for each system and runtime, one at a time."""

import os
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from multiprocessing import get_all_start_methods, get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from bench.latency.aggregate import aggregate
from bench.latency.reference_speed import fastest_reference, remember_fastest
from bench.runtimes._base import Loader
from datamodules._characters import Characters
from datamodules._lock import locked

# OpenMP, MKL and OpenBLAS read these when they load, so they are set before torch is imported.
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
# Imported once, by the fork server; each measuring process is forked from it and starts in milliseconds.
_PRELOAD = ["torch", "torchvision", "cv2", "bench.latency.all_threads", "bench.runtimes.eager"]
_FORK_SERVER = "forkserver" in get_all_start_methods()  # not on Windows
# The protocol ends after 10 s of warm-up and 20 s in total, or after three copies of a slow network. A loaded machine
# may take several times as long; a process that takes longer than this limit hangs.
LIMIT_S = 180.0
_RUNNING: set[BaseProcess] = set()  # processes started by any thread; see ``stopping``
_STOP = threading.Event()
_STARTING = threading.Lock()  # held while os.environ is changed for a server or process that starts
_EXIT_S = 5.0  # for a process to exit by itself after its answer


class Stopped(BaseException):
    """The program is ending: the measurement was cancelled, which is not an error of its row."""


class MeasurementError(Exception):
    """A measurement failed; the text says what happened in the measuring process."""


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
    """Run the timing protocol in separate processes, one after the other, while no other process measures.

    Args:
        prepare: called in the process, returns the classifier's loader; a module's function or a ``functools.partial``.
        characters: native-size inputs, used in a cycle.
        rounds: of the protocol, in each process.
        seed: of the order of blocks and of the bootstrap.
        limit_s: seconds after which a process is killed.
        launches: number of processes; the speed of each depends on where its data happen to lie in memory.
        all_threads: also measure with all threads, in the first process after the protocol.

    Returns: ``value``, nanoseconds per call, and its details; see ``bench.latency.aggregate``.

    Raises:
        MeasurementError: an error in a process, as ``Type: text``; or the process died, or took too long.
    """
    processes, extra = [], {}
    for number in range(launches):
        with_all_threads = all_threads and number == 0
        task = partial(_time, prepare, characters, rounds, seed + number, with_all_threads, fastest_reference())
        answer = run_apart(task, limit_s)
        processes.append(answer.pop("times"))
        remember_fastest(processes[-1].fastest)
        extra.update(answer)
    return {**aggregate(processes, seed), **extra}


def run_apart(
    work: Callable[[], dict[str, Any] | None], limit_s: float = LIMIT_S, *, exclusive: bool = True
) -> dict[str, Any]:
    """Run ``work``, a module's function or a ``functools.partial`` of one, in a measuring process with one thread.

    With ``exclusive`` it waits until no other process measures. Anything that reads a clock needs this; exports do not.

    Returns: the result of ``work``; an empty dictionary for None.

    Raises:
        MeasurementError: an error in the process, as ``Type: text``; or the process died, or took too long.
    """
    with alone() if exclusive else nullcontext():
        context = _context()
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=_measure, args=(sender, work), daemon=True)
        try:
            with nullcontext() if _FORK_SERVER else _one_thread():  # a spawned process inherits our environment
                process.start()
            _RUNNING.add(process)
            if _STOP.is_set():
                raise Stopped
            sender.close()  # the measuring process has the only other sender, so its death ends the pipe
            answer = _answer(receiver, process, limit_s)
            process.join(_EXIT_S)  # if killed, its libraries could not release semaphores and the like
        except MeasurementError:
            if _STOP.is_set():
                raise Stopped from None
            raise
        finally:
            sender.close()
            receiver.close()
            _RUNNING.discard(process)
            if process.pid is not None:  # it was started: leave neither a process nor a zombie
                with suppress(ProcessLookupError):
                    process.kill()
                process.join()
                process.close()
    if "error" in answer:
        raise MeasurementError(answer["error"])
    return answer


@contextmanager
def stopping() -> Iterator[None]:
    """Kill all measuring processes; threads that wait for one get ``Stopped``."""
    _STOP.set()
    try:
        for process in tuple(_RUNNING):
            with suppress(ProcessLookupError, ValueError):  # already ended and closed
                process.kill()
        yield
    finally:
        _STOP.clear()


@contextmanager
def alone() -> Iterator[None]:
    """Hold the measuring lock of this machine; other programs wait for it here."""
    # Not in the cache folder: programs with different caches must not measure at the same time either.
    user = os.getuid() if hasattr(os, "getuid") else "user"  # Windows, where each user has a folder of their own
    with locked(Path(tempfile.gettempdir()) / f"hccr-bench-measuring-{user}.lock"):
        yield


def _context() -> Any:
    """Starts measuring processes: from the fork server, which has torch loaded for one thread, else by spawning."""
    if not _FORK_SERVER:
        return get_context("spawn")
    from multiprocessing import forkserver

    context = get_context("forkserver")
    with _one_thread():
        context.set_forkserver_preload(_PRELOAD)
        forkserver.ensure_running()
    return context


@contextmanager
def _one_thread() -> Iterator[None]:
    """Set _ONE_THREAD for processes that start meanwhile."""
    with _STARTING:
        before = {name: os.environ.get(name) for name in _ONE_THREAD}
        os.environ.update(_ONE_THREAD)
        try:
            yield
        finally:
            for name in _ONE_THREAD:
                del os.environ[name]
            os.environ.update({name: value for name, value in before.items() if value is not None})


def _answer(receiver: Connection, process: BaseProcess, limit_s: float) -> dict[str, Any]:
    try:
        if receiver.poll(limit_s):
            answer: dict[str, Any] = receiver.recv()
            return answer
    except EOFError:
        process.join()
        code = process.exitcode or 0
        how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        raise MeasurementError(f"the measuring process ended {how} before it answered; see stderr") from None
    raise MeasurementError(f"the measuring process gave no answer within {limit_s:g} s and was killed")


def _measure(sender: Connection, work: Callable[[], dict[str, Any] | None]) -> None:
    """Main function of a measuring process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes; the parent handles it and kills this
    os.dup2(2, 1)  # output of a runtime must not mix with the JSON on the parent's stdout
    os.environ.update(_ONE_THREAD)  # in case another part of the program started the server
    try:
        answer = work() or {}
    except Exception as error:  # the parent raises it again from this text
        answer = {"error": f"{type(error).__name__}: {error}"}
    sender.send(answer)


def _time(
    prepare: Callable[[], Loader], characters: Characters, rounds: int, seed: int, all_threads: bool, fastest: float
) -> dict[str, Any]:
    from bench.latency.all_threads import time_all_threads  # torch is not needed in the parent
    from bench.latency.paired_blocks import time_paired

    times = time_paired(prepare, characters, rounds, seed, fastest)
    return {"times": times, **(time_all_threads(prepare(), characters) if all_threads else {})}
