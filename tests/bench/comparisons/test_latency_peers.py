"""Latency by other methods: what they time is what they are given."""

import time
from itertools import cycle
from pathlib import Path

import numpy as np
import pytest

from bench.comparisons import latency_methods, latency_onnxruntime
from bench.comparisons._exported_file import write_export
from bench.comparisons.latency_methods import TIMED, WARM, timm_ns, torch_ns
from bench.run.profile import random_row
from datamodules._characters import Characters

SLEEP_S = 0.002


@pytest.fixture
def characters() -> Characters:
    return Characters.pack([np.full((40, 30), 255, np.uint8)] * 3, [0, 0, 0])


def test_timms_method_warms_up_and_takes_the_mean_of_a_fixed_number_of_calls() -> None:
    seen = []

    def slow_once(image: int) -> None:
        seen.append(image)
        time.sleep(SLEEP_S * (11 if len(seen) == WARM + 1 else 1))

    found = timm_ns(slow_once, cycle([1, 2, 3]))
    assert len(seen) == WARM + TIMED
    assert seen[:4] == [1, 2, 3, 1]
    assert found >= SLEEP_S * 1e9 * (TIMED + 10) / TIMED  # the slow call counts: it is a mean


def test_the_timer_of_torch_takes_the_median() -> None:
    assert torch_ns(lambda image: time.sleep(SLEEP_S), cycle([1]), least_s=0.05) >= SLEEP_S * 1e9


def test_calls_back_to_back_and_in_blocks_are_compared_with_the_timers(characters, monkeypatch) -> None:
    class Side:  # a call takes 5 ns, or 8 after one of a reference
        block = 1

        def __init__(self, call, inputs) -> None:
            self.after_reference = False

        def run(self, calls: int):
            if self is not made[0]:
                made[0].after_reference = True
                return [], [1] * calls
            cold, self.after_reference = self.after_reference, False
            return [], [8 if cold else 5] * calls

        def timed_block(self):
            return self.run(self.block)

    made: list[Side] = []
    monkeypatch.setattr(latency_methods, "Side", lambda *given: made.append(Side(*given)) or made[-1])
    monkeypatch.setattr(latency_methods, "warm_up", lambda *sides: True)
    monkeypatch.setattr(latency_methods, "torch_ns", lambda call, images, least_s, clock: 4.0)
    monkeypatch.setattr(latency_methods, "PIECE_S", 1e-8)
    monkeypatch.setattr(latency_methods.gc, "disable", lambda: None)
    found = latency_methods.ratios_in_one_process(lambda: lambda: len, characters)
    assert found == {"same_calls": 1.25, "cold_caches": 1.6}


def test_the_profiler_sees_each_call(tmp_path: Path, characters, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency_onnxruntime, "TIMED", 4)
    monkeypatch.setattr(latency_onnxruntime, "WARM", 2)
    row = random_row("lenet5", 10, tmp_path / "weights.safetensors")
    found = latency_onnxruntime.profiled_ns(write_export("lenet5", 10, row.weights), characters)
    assert found["runs"] == 6
    assert 0 < found["ns"] <= found["wall_ns"]


@pytest.mark.slow
def test_methods_and_profiler_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency_methods, "SYSTEMS", ("lenet5",))
    monkeypatch.setattr(latency_methods, "PIECES", 1)
    for module in (latency_methods, latency_onnxruntime):
        monkeypatch.setattr(module, "REPEATS", 2)
        monkeypatch.setattr(module, "ROUNDS", 4)
    monkeypatch.setattr(latency_onnxruntime, "SYSTEM", "lenet5")
    methods, profiler = latency_methods.compare(), latency_onnxruntime.compare()
    assert methods.value is not None
    assert profiler.value is not None
    assert min(methods.value, profiler.value) >= 1
    assert all(value >= 1 for value in methods.detail["systems"]["lenet5"]["spread"].values())
