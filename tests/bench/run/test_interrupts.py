"""Ctrl-C while a real command fits, predicts or times: what is finished is kept, and the next command continues."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fake.image_folder import write_folder
from fake.plugins import offer

# Where the network waits for the signal, by the function that runs it then.
STAGES = {
    "fit": "fit",
    "predict": "predict_step",
    "time": "time_paired",
}
WAITING = """
        import os, pathlib, time, traceback
        if os.environ.get('STOP_IN') and any(f.name == '{where}' for f in traceback.extract_stack()):
            pathlib.Path(os.environ['STOP_IN']).write_text(str(os.getpid()))
            time.sleep(100)
"""
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    """Start ``bench run`` on two tiny systems, in a process group of its own as a terminal does."""
    # A background job of a shell ignores Ctrl-C, and the commands that these tests start would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    offer(tmp_path / "acme", monkeypatch)
    write_folder(tmp_path / "strokes", train=60, test=10)
    root = Path(__file__).resolve().parents[3]
    command = (
        "run --suite hccr --dataset image_folder --data-root strokes --scale smoke --system acme_tiny "
        "--system acme_step --out out --accelerator cpu --json"
    )

    def begin(stop_in: Path | None = None) -> "subprocess.Popen[str]":
        more = {
            "PYTHONPATH": f"{root}{os.pathsep}{tmp_path / 'acme'}",
            **({"STOP_IN": str(stop_in)} if stop_in else {}),
        }
        return subprocess.Popen(
            [sys.executable, "-m", "bench", *command.split()], cwd=tmp_path, env={**os.environ, **more},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip

    return begin


@pytest.mark.slow
@pytest.mark.parametrize("stage", STAGES)
def test_an_interrupt_keeps_what_is_finished_and_the_next_run_continues(
    start: Start, tmp_path: Path, stage: str
) -> None:
    stop_in_the_second_system(tmp_path, stage)
    marker = tmp_path / "waiting"
    process = start(marker)
    wait_for(marker, process)
    until = time.monotonic() + 150
    while "acme_tiny" not in records(tmp_path):  # it trains beside the other
        assert time.monotonic() < until
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, ""), err
    assert "finished rows are kept, and the same command without --fresh continues" in err
    assert "Traceback" not in err
    assert_gone(int(marker.read_text()))
    kept = records(tmp_path)
    assert kept["acme_tiny"]["measurements"]["accuracy"]["value"] is not None
    assert kept["acme_tiny"]["status"] == ("whole" if stage == "time" else "partial")  # timing follows all training
    assert ("acme_step" in kept) == (stage == "time")
    trained = weights(tmp_path, "acme_tiny").stat().st_mtime_ns
    out, err = start().communicate(timeout=200)
    made = {row["system"]: row for row in json.loads(out)["records"]}
    assert {row["status"] for row in made.values()} == {"whole"}, err
    assert made["acme_tiny"]["checkpoint_sha256"] == kept["acme_tiny"]["checkpoint_sha256"]
    assert weights(tmp_path, "acme_tiny").stat().st_mtime_ns == trained


def stop_in_the_second_system(folder: Path, stage: str) -> None:
    plugin = folder / "acme" / "acme_step.py"
    text = (folder / "acme" / "acme_tiny.py").read_text()
    plugin.write_text(text.replace("        pass\n", WAITING.format(where=STAGES[stage])))


def wait_for(marker: Path, process: "subprocess.Popen[str]") -> None:
    until = time.monotonic() + 150
    while not marker.exists() or not marker.read_text():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.05)


def assert_gone(pid: int) -> None:
    """The process that waited is not left behind."""
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def records(folder: Path) -> dict[str, Any]:
    found = [json.loads(path.read_text()) for path in (folder / "out" / "results").rglob("*.json")]
    return {row["system"]: row for row in found}


def weights(folder: Path, system: str) -> Path:
    (path,) = (folder / "runs").rglob(f"{system}-s0/weights.safetensors")
    return path
