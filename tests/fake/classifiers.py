"""Classifiers of known behaviour for the measuring process, which imports them by name."""

import os
import signal
import time

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


def busy() -> Busy:
    return Busy(20_000)


def twice_as_busy() -> Busy:
    return Busy(40_000)


def chatty() -> Busy:
    print("a runtime prints")
    return Busy(2_000)


def environment() -> Busy:
    return Environment(1)


def broken() -> Busy:
    raise KeyError("no such weights")


def killed() -> Busy:
    os.kill(os.getpid(), signal.SIGKILL)
    return Busy(1)


def hanging() -> Busy:
    time.sleep(600)
    return Busy(1)
