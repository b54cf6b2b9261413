"""Classifiers of known behaviour for the measuring process, which imports them by name."""

import os
import signal
import time
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray


class Busy:
    """Keeps the CPU busy for a fixed number of additions per character."""

    def __init__(self, work: int) -> None:
        self.work = work

    def preprocess(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return image[::2, ::2].copy()

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        total = 0
        for i in range(self.work):
            total += i
        return np.array([1.0, total * 0.0], np.float32)


class Environment(Busy):
    """Fails, and says in which environment."""

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        import torch

        threads = [os.environ["OMP_NUM_THREADS"], os.environ["MKL_NUM_THREADS"], str(torch.get_num_threads())]
        raise OSError(" ".join(threads))


Loader = Callable[[], Busy]


def busy() -> Loader:
    return partial(Busy, 20_000)


def twice_as_busy() -> Loader:
    return partial(Busy, 40_000)


def chatty() -> Loader:
    print("a runtime prints")
    return partial(Busy, 2_000)


def environment() -> Loader:
    return partial(Environment, 1)


def broken() -> Loader:
    raise KeyError("no such weights")


def killed() -> Loader:
    os.kill(os.getpid(), signal.SIGKILL)
    return partial(Busy, 1)


def hanging() -> Loader:
    time.sleep(600)
    return partial(Busy, 1)
