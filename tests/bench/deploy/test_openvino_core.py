"""OpenVINO inside a process that goes on."""

import subprocess
import sys
from pathlib import Path

from fake.exported import SYSTEM, write_checkpoint

from bench.run.export import Sources, export_system

SCRIPT = """
import faulthandler, os, signal, sys, threading
from pathlib import Path
from bench.deploy.load import open_exported
faulthandler.enable()  # as pytest does: handlers of signals then run on a stack of their own
kept = [open_exported(Path(sys.argv[1]))]
signal.signal(signal.SIGUSR1, lambda *_: print("went on"))
dropping = threading.Thread(target=kept.clear)
dropping.start()
dropping.join()
os.kill(os.getpid(), signal.SIGUSR1)
"""


def test_a_recogniser_that_is_dropped_on_another_thread_leaves_signals_alone(tmp_path: Path) -> None:
    checkpoint = write_checkpoint(tmp_path / "weights.safetensors")
    export_system(SYSTEM, "openvino", tmp_path / "exported.zip", Sources(checkpoint, leaderboards=tmp_path))
    done = subprocess.run([sys.executable, "-c", SCRIPT, tmp_path / "exported.zip"], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "went on\n", "")
