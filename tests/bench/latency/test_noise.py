"""What the kernel says of who else was there, read from files of its own form."""

from pathlib import Path

import pytest
import torch

from bench.latency import noise
from bench.latency.noise import (
    cpu_pressure,
    cpu_ticks,
    flushes_denormals,
    involuntary_switches,
    steal,
    used_by_others,
)


def test_pressure_is_read_where_the_kernel_gives_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "cpu"
    file.write_text("some avg10=12.50 avg60=0.10 avg300=0.00 total=1\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n")
    monkeypatch.setattr(noise, "PRESSURE", file)
    assert cpu_pressure() == 12.5
    monkeypatch.setattr(noise, "PRESSURE", tmp_path / "none")
    assert cpu_pressure() is None


def test_steal_is_a_share_of_all_ticks_since_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "stat"
    monkeypatch.setattr(noise, "TIMES", file)
    file.write_text("cpu  100 10 20 300 5 1 4 60 90 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n")
    before = cpu_ticks()
    assert before == (500, 60, 305)  # the guest's 90 are in user's 100; waiting for a disk is idle
    assert steal(before) is None  # no tick has passed
    file.write_text("cpu  150 10 30 310 5 1 4 90 140 0\n")
    assert steal(before) == 0.3
    assert steal(None) is None
    file.unlink()
    assert cpu_ticks() is None
    assert steal(before) is None


def test_others_share_is_what_is_neither_idle_nor_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "stat"
    monkeypatch.setattr(noise, "TIMES", file)
    monkeypatch.setattr(noise.os, "sysconf", {"SC_CLK_TCK": 100}.__getitem__)
    file.write_text("cpu  100 10 20 300 5 1 4 60 90 0\n")
    before = cpu_ticks()
    assert used_by_others(before, 0.0) is None
    file.write_text("cpu  160 20 20 310 15 1 4 70 90 0\n")  # of 100 ticks 80 are busy or stolen
    assert used_by_others(before, 0.5) == 0.3
    assert used_by_others(before, 0.9) == 0.0
    assert used_by_others(None, 0.5) is None
    file.unlink()
    assert used_by_others(before, 0.5) is None


def test_switches_are_counted_where_the_system_counts_them(monkeypatch: pytest.MonkeyPatch) -> None:
    before = involuntary_switches()
    assert before is not None
    assert involuntary_switches(before) in range(1000)
    assert involuntary_switches(None) is None
    monkeypatch.setattr(noise, "resource", None)
    assert involuntary_switches() is involuntary_switches(before) is None


def test_denormals_are_told() -> None:
    assert not flushes_denormals()
    if torch.set_flush_denormal(True):
        try:
            assert flushes_denormals()
        finally:
            torch.set_flush_denormal(False)
