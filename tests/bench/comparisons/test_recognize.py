"""What reading takes: a few short rounds of real processes and files, and what the worse of two figures makes."""

import os
from pathlib import Path

import pytest

from bench.comparisons import _exported_file, recognize_batch, recognize_start


@pytest.fixture(autouse=True)
def few_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_exported_file, "CLASSES", 20)


def test_the_worse_of_time_and_memory_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    found = iter([(9.0, 900.0), (0.1, 66.0), (0.15, 77.0), (0.9, 99.0)])  # the first one compiles
    monkeypatch.setattr(recognize_start, "ROUNDS", 3)
    monkeypatch.setattr(recognize_start, "_round", lambda *arguments: next(found))
    slow = recognize_start.compare()
    assert slow.value == pytest.approx(99 / 110)
    assert (slow.detail["seconds"], slow.detail["slowest_seconds"], slow.detail["peak_mb"]) == (0.15, 0.9, 99.0)


def test_a_real_process_reads_an_image(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recognize_start, "ROUNDS", 1)
    assert recognize_start.compare().detail["peak_mb"] > 20  # an interpreter alone holds less


def test_a_process_that_gives_no_answer_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"recognize fails or imports torch: .*no-such-file"):
        recognize_start._round([str(tmp_path / "no-such-file.onnx"), "image.png"], dict(os.environ))


def test_rates_of_batches_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recognize_batch, "ROUNDS", 2)
    monkeypatch.setattr(recognize_batch, "IMAGES", 64)
    found = recognize_batch.compare()
    assert found.value is not None
    assert found.detail["images_per_second"] > 0
    assert found.detail["alone_per_second"] > 0
