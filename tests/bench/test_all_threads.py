"""Every thread that the process may use: set while a classifier is made and timed, and told beside the figure."""

import time

import pytest
import torch
from fake.rows import characters

from bench import _all_threads, machine
from bench._all_threads import time_all_threads
from bench.runtimes import threads, with_threads


class Sleepy:
    """Takes as long as the characters' first pixel says, in milliseconds."""

    def __init__(self, varies: bool) -> None:
        self.varies, self.threads, self.calls = varies, threads(), 0

    def preprocess(self, image):
        return image

    def __call__(self, image):
        self.calls += 1
        time.sleep(0.02 if self.varies and self.calls % 10 == 0 else 0.001)


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(_all_threads, "cores", lambda: 2)
    monkeypatch.setattr(_all_threads, "WARM_S", 0.0)
    monkeypatch.setattr(_all_threads, "TIMED_S", 0.1)
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("varies", [False, True])
def test_the_classifier_is_made_for_all_threads_and_timed(two, varies: bool) -> None:
    made: list[Sleepy] = []

    def load() -> Sleepy:
        made.append(Sleepy(varies))
        return made[-1]

    found = time_all_threads(load, characters(8))
    assert made[0].threads == found["all_threads"] == torch.get_num_threads() == 2
    assert threads() == 1  # afterwards as before
    assert found["all_threads_n"] == made[0].calls - 1 >= 10  # one of warm-up
    assert found["all_threads_ns"] > 1e6
    assert (found["all_threads_ns"] > 2.5e6) is varies  # the mean with one of twenty milliseconds in ten; else median


def test_threads_are_one_unless_told() -> None:
    assert threads() == 1
    with with_threads(3):
        assert threads() == 3
    assert threads() == 1
    assert machine.cores() >= 1
