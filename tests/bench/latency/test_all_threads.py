"""Every thread that the process may use: set while a classifier is made and timed, and recorded with the figure."""

import pytest
import torch
from fake.rows import characters

from bench.latency import all_threads as _all_threads
from bench.latency.all_threads import time_all_threads
from bench.records import provenance as machine
from bench.runtimes._base import threads, with_threads


class Counted:
    """A classifier that notes for how many threads it was made and how often it was called."""

    def __init__(self, data_dependent_cost: bool) -> None:
        self.data_dependent_cost, self.threads, self.calls = data_dependent_cost, threads(), 0

    def preprocess(self, image):
        return image

    def __call__(self, image):
        self.calls += 1


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(_all_threads, "cores", lambda: 2)
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(("data_dependent_cost", "value"), [(False, 1.0), (True, 3.0)])
def test_the_classifier_is_made_for_all_threads_and_timed(
    two, monkeypatch: pytest.MonkeyPatch, data_dependent_cost: bool, value: float
) -> None:
    made: list[Counted] = []

    def load() -> Counted:
        made.append(Counted(data_dependent_cost))
        return made[-1]

    monkeypatch.setattr(_all_threads, "_run", lambda side, seconds, least=1: [1, 1, 7] * 7)  # median 1, mean 3
    monkeypatch.setattr(_all_threads, "used_by_others", lambda ticks, own: 0.04)
    found = time_all_threads(load, characters(8))
    assert found == {
        "all_threads": 2, "all_threads_ns": value, "all_threads_n": 21, "all_threads_others": 0.04,
        "all_threads_noisy": False,
    }  # fmt: skip
    assert made[0].threads == torch.get_num_threads() == 2
    assert threads() == 1  # afterwards as before


def test_twenty_calls_are_timed_however_short_the_time(two, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_all_threads, "WARM_S", 0.0)
    monkeypatch.setattr(_all_threads, "TIMED_S", 0.0)
    made = Counted(False)
    found = time_all_threads(lambda: made, characters(8))
    assert found["all_threads_n"] == 20
    assert found["all_threads_ns"] > 0
    assert made.calls == 21  # the first was warm-up


def test_a_call_too_slow_for_twenty_has_no_value_but_a_reason(two, monkeypatch: pytest.MonkeyPatch) -> None:
    for limit in ("WARM_S", "TIMED_S", "CAP_S"):
        monkeypatch.setattr(_all_threads, limit, 0.0)
    found = time_all_threads(lambda: Counted(False), characters(8))
    assert (found["all_threads_ns"], found["all_threads_n"]) == (None, 1)
    assert found["all_threads_why"] == "calls timed in 0 s: 1, wanted 20"


@pytest.mark.parametrize(("others", "noisy"), [(None, False), (0.05, False), (0.06, True)])
def test_other_processes_make_it_noisy(two, monkeypatch: pytest.MonkeyPatch, others, noisy: bool) -> None:
    monkeypatch.setattr(_all_threads, "WARM_S", 0.0)
    monkeypatch.setattr(_all_threads, "TIMED_S", 0.0)
    monkeypatch.setattr(_all_threads, "used_by_others", lambda ticks, own: others)
    found = time_all_threads(lambda: Counted(False), characters(8))
    assert (found["all_threads_others"], found["all_threads_noisy"]) == (others, noisy)


def test_threads_are_one_unless_told() -> None:
    assert threads() == 1
    with with_threads(3):
        assert threads() == 3
    assert threads() == 1
    assert machine.cores() >= 1
