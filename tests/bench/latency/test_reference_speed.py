"""The reference's speed is known from one run to the next, on the machine where it was seen."""

import math
import time
from pathlib import Path

import pytest

from bench.latency import reference_speed
from bench.latency.reference_speed import fastest_reference, remember_fastest


def test_the_fastest_time_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference_speed, "cache_folder", lambda: tmp_path)
    assert fastest_reference() == math.inf
    for ns, known in ((500.0, 500.0), (600.0, 500.0), (450.0, 450.0)):
        remember_fastest(ns)
        assert fastest_reference() == known
    monkeypatch.setattr(reference_speed, "machine", lambda: {"name": "another-2c"})
    assert fastest_reference() == math.inf
    remember_fastest(700.0)
    assert fastest_reference() == 700.0
    monkeypatch.undo()
    monkeypatch.setattr(reference_speed, "cache_folder", lambda: tmp_path)
    assert fastest_reference() == 450.0
    now = time.time()
    monkeypatch.setattr(reference_speed.time, "time", lambda: now + 8 * 24 * 3600)
    assert fastest_reference() == math.inf  # forgotten after a week
    remember_fastest(480.0)
    assert fastest_reference() == 480.0


@pytest.mark.parametrize("content", ["", "[]", '{"x": "fast"}', '{"x": [1]}', "\xff"])
def test_a_damaged_file_is_as_none(content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference_speed, "cache_folder", lambda: tmp_path)
    (tmp_path / "reference-speed.json").write_text(content, encoding="latin-1")
    assert fastest_reference() == math.inf
    remember_fastest(500.0)
    assert fastest_reference() == 500.0
