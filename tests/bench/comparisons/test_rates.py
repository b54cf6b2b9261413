"""Rates of drawing and packing: what is done in a time that the test sets."""

import itertools
from types import SimpleNamespace

import pytest

from bench.comparisons import draw_rate, pack_rate


def clock(seconds: float) -> SimpleNamespace:
    """A clock that stands ``seconds`` later at each look."""
    ticks = itertools.count()
    return SimpleNamespace(process_time=lambda: seconds * next(ticks))


def test_the_slower_kind_of_drawing_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draw_rate, "CHARACTERS", ["川", "国"])
    monkeypatch.setattr(draw_rate, "SAMPLES", 5)
    monkeypatch.setattr(draw_rate, "ROUNDS", 2)
    monkeypatch.setattr(draw_rate, "time", clock(0.5))
    found = draw_rate.compare()
    assert found.detail["synthetic_hwdb_per_second"] == 5 * 2 / 0.5
    assert found.detail["synthetic_shui_per_second"] == 400 / 0.5
    assert found.value == pytest.approx(1000 / 20)


def test_packing_and_unpacking_are_timed_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pack_rate, "SHAPE", (40, 10))
    monkeypatch.setattr(pack_rate, "ROUNDS", 3)
    monkeypatch.setattr(pack_rate, "time", clock(0.25))
    found = pack_rate.compare()
    assert (found.detail["pack_seconds"], found.detail["unpack_seconds"], found.detail["n"]) == (0.25, 0.25, 3)
    assert found.value == pytest.approx(0.25)
