"""Commands on systems without Linux's modules, functions and files, simulated in a process that hides them."""

import subprocess
import sys
from pathlib import Path

import cv2
import pytest
from fake.exported import export_both, glyph, write_checkpoint
from fake.records import in_runtime, record, write

ROOT = Path(__file__).resolve().parents[2]
# Before anything of ours is imported: what macOS, Windows or both lack.
HIDE = """
import os, pathlib, sys
for module in ("resource", "fcntl", "pwd", "grp", "termios"):
    sys.modules[module] = None
for name in ("sched_getaffinity", "sysconf", "getuid", "fork", "killpg", "getloadavg"):
    delattr(os, name)
def hidden(method):
    def without(self, *arguments, **named):
        if str(self).startswith(("/proc", "/sys")):
            raise FileNotFoundError(2, "No such file or directory", str(self))
        return method(self, *arguments, **named)
    return without
for name in ("open", "stat", "read_text", "read_bytes"):
    setattr(pathlib.Path, name, hidden(getattr(pathlib.Path, name)))
"""
VERB = HIDE + "from bench.__main__ import main; sys.exit(main(sys.argv[1:]))"


def run(script: str, *arguments: str, folder: Path, encoding: str = "cp1252") -> subprocess.CompletedProcess[str]:
    environment = {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": encoding, "PATH": "", "HOME": str(folder)}
    command = [sys.executable, "-W", "error", "-c", script, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, encoding="utf-8", timeout=100)


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("--help", "usage: bench"),
        ("--version", "hccr-bench"),
        ("list systems", "fire:gwap"),
        ("choose --out boards", "Choose nearest_mean in onnxruntime"),
        ("render --check --out boards", ""),
    ],
)
def test_commands_work(tmp_path: Path, command: str, says: str) -> None:
    write(tmp_path / "boards", in_runtime(record("nearest_mean", 0.9), "onnxruntime", 1.0, 0.9))
    if command.startswith("render"):
        assert run(VERB, "render", "--out", "boards", folder=tmp_path).returncode == 0
    done = run(VERB, *command.split(), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert says in done.stdout


def test_characters_are_recognised_and_printed(tmp_path: Path) -> None:
    export_both(write_checkpoint(tmp_path / "weights.safetensors"), tmp_path, tmp_path)
    cv2.imwrite(str(tmp_path / "x.png"), glyph("回"))
    for flags in ([], ["--batch"]):
        done = run(VERB, "recognize", "exported.onnx", "x.png", "--top", "1", *flags, folder=tmp_path)
        assert done.returncode == 0, done.stderr
        assert "x.png: 回" in done.stdout


def test_what_the_system_does_not_report_is_null(tmp_path: Path) -> None:
    script = """
from bench.latency.isolated_process import alone
from bench.latency.noise import cpu_pressure, cpu_ticks, involuntary_switches, steal
from bench.measurements._memory_probe import memory_in_use
from bench.records.provenance import machine
import bench.training.parallel, datamodules.cache.prepared
assert [cpu_pressure(), involuntary_switches(), steal(cpu_ticks())] == [None] * 3
found = machine()
assert found["ram_bytes"] is None and found["flags"] == [] and found["cpu"] and found["cores"] >= 1, found
with alone():
    pass
try:
    memory_in_use()
except OSError as error:
    print(error)
"""
    done = run(HIDE + script, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "this system does not report the memory of a process with shared pages in part (PSS)\n"


def test_the_version_says_whether_the_package_is_installed(tmp_path: Path) -> None:
    checkout = (
        "import importlib.metadata as m\ndef version(name): raise m.PackageNotFoundError(name)\nm.version = version\n"
    )
    light = "; assert 'torch' not in sys.modules and 'numpy' not in sys.modules"
    done = run(f"import sys\n{checkout}from bench.__main__ import main\ntry: main(['--version'])\n"
               f"except SystemExit as end: assert not end.code{light}", folder=tmp_path)  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("hccr-bench: a checkout that is not installed")
