"""The measuring process: what comes back from it, and what never stays behind."""

import fcntl
import multiprocessing
import os
import tempfile
import time
from pathlib import Path
from threading import Thread

import pytest
from fake import classifiers
from fake.rows import characters

from bench.latency import isolated_process as timing
from bench.latency.isolated_process import MeasurementError, Stopped, run_apart, stopping, time_apart


@pytest.fixture(autouse=True)
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path / f"hccr-bench-measuring-{os.getuid()}.lock"


def timed(prepare, limit_s: float = 120):
    return time_apart(prepare, characters(8), rounds=10, seed=0, limit_s=limit_s)


def test_more_work_has_a_larger_ratio() -> None:
    once, twice = timed(classifiers.busy), timed(classifiers.twice_as_busy)
    # Twice the work; no closer than this, since the test may share its machine with anything.
    assert 1.2 < twice["ratio_to_reference"] / once["ratio_to_reference"] < 4
    assert once["ratio_ci"][0] <= once["ratio_to_reference"] <= once["ratio_ci"][1]


def test_all_that_a_record_keeps_is_there() -> None:
    found = timed(classifiers.busy)
    assert 10 <= found["rounds"] + found["rounds_left_out"] <= 4 * 10 + 2  # more than ten if the machine is busy
    assert found["n"] >= 20
    assert 0 < found["preprocess_ns"] < found["q25"] <= found["value"] <= found["q75"] <= found["p90"]
    assert found["cpu_ns"] == pytest.approx(found["ratio_to_reference"] * found["reference_ns"], rel=0.5)
    assert found["aa_ci"][0] <= found["aa_ratio"] <= found["aa_ci"][1]
    assert found["first_call_ns"] > 0
    assert isinstance(found["noisy"], bool)
    assert isinstance(found["flush_denormal"], bool)
    assert found["involuntary_switches"] >= 0


def test_the_process_has_one_thread_and_ours_keeps_its_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    with pytest.raises(MeasurementError, match=r"^OSError: 1 1 1$"):
        timed(classifiers.environment)
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "MKL_NUM_THREADS" not in os.environ


def test_without_a_fork_server_processes_are_spawned_with_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "_FORK_SERVER", False)
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    with pytest.raises(MeasurementError, match=r"^OSError: 1 1 1$"):
        timed(classifiers.environment)
    assert os.environ["OMP_NUM_THREADS"] == "7"


def test_work_that_nobody_waits_for_any_more_is_ended_and_is_no_error() -> None:
    ended: list[BaseException] = []

    def work() -> None:
        try:
            run_apart(classifiers.hanging)
        except BaseException as error:
            ended.append(error)

    thread = Thread(target=work)
    thread.start()
    while not multiprocessing.active_children() and not timing._RUNNING:
        time.sleep(0.01)
    with stopping():
        thread.join(20)
    assert [type(error) for error in ended] == [Stopped]
    assert run_apart(dict) == {}  # what comes afterwards is not stopped


def test_an_error_comes_back_as_type_and_text() -> None:
    with pytest.raises(MeasurementError, match=r"^KeyError: 'no such weights'$"):
        timed(classifiers.broken)


def test_a_killed_process_is_told() -> None:
    with pytest.raises(MeasurementError, match="ended by signal 9 before it answered"):
        timed(classifiers.killed)


def test_a_hanging_process_is_ended() -> None:
    with pytest.raises(MeasurementError, match=r"no answer within 1\.5 s"):
        timed(classifiers.hanging, limit_s=1.5)


@pytest.mark.parametrize("prepare", [classifiers.broken, classifiers.killed, classifiers.hanging])
def test_nothing_stays_behind(prepare, lock: Path) -> None:
    with pytest.raises(MeasurementError):
        timed(prepare, limit_s=1.5)
    assert multiprocessing.active_children() == []
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # raises where it is still held


def test_what_a_runtime_prints_does_not_reach_stdout(capfd: pytest.CaptureFixture[str]) -> None:
    timed(classifiers.chatty)
    assert capfd.readouterr().out == ""


def test_one_measures_at_a_time(lock: Path) -> None:
    ended: list[float] = []

    def measure() -> None:
        with pytest.raises(MeasurementError):
            timed(classifiers.broken)
        ended.append(time.monotonic())

    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        waiting = Thread(target=measure)
        waiting.start()
        time.sleep(1.0)
        released = time.monotonic()
    waiting.join(60)
    assert ended
    assert ended[0] > released
