"""The packed cache after any end: a full disk, a kill at any write, a torn journal, two processes at once."""

import errno
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from fake.prepared import FILES, content, made, write_parts

from datamodules._errors import DataError
from datamodules.cache.prepared import find_prepared
from datamodules.casia_hwdb import PROTOCOL
from datamodules.readers.casia_parts import find_sources
from datamodules.readers.gb2312 import LEVEL1

ROOT = Path(__file__).parents[3]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_parts(tmp_path / "data")


def failure(root: Path, place: Path) -> str:
    """What preparing fails with, if it does."""
    try:
        made(root, place)
    except DataError as error:
        return str(error)
    return ""


def whole_names(place: Path) -> list[str]:
    return sorted(path.name for path in place.glob("v*"))


# Each N-th call of these fails in turn, until preparing gets through without reaching the N-th.
@pytest.mark.parametrize("call", ["write", "fsync", "rename", "ftruncate", "open"])
def test_a_full_disk_leaves_no_half_cache(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    wanted = content(made(root, tmp_path / "wanted"))
    real: Callable[..., object] = getattr(os, call)
    for number in range(1, 200):
        calls = 0

        def failing(*arguments: object, number: int = number) -> object:
            nonlocal calls
            calls += 1
            if calls == number:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            if call == "write" and calls == number - 1:
                return real(arguments[0], memoryview(arguments[1])[:1])  # type: ignore[arg-type] # a part first
            return real(*arguments)

        place = tmp_path / f"{call}{number}"
        place.mkdir()
        with monkeypatch.context() as patch:
            patch.setattr(os, call, failing)
            said = failure(root, place)
        assert not said or ("No space left on device" in said and "HCCR_BENCH_CACHE" in said)
        if calls < number:
            assert number > 1 or call == "ftruncate"  # nothing was torn, so nothing is cut off
            return
        found = find_prepared(place, find_sources(root, PROTOCOL)[0], LEVEL1)
        assert found is None or content(found) == wanted
        assert content(made(root, place)) == wanted
        assert not list(place.glob("*.partial"))
    pytest.fail("preparing never got through")


def child(root: Path, place: Path, before: str = "") -> subprocess.Popen[str]:
    """Another process that prepares; its last line is the folder."""
    code = (
        "import os, signal, sys, time\n"
        "from pathlib import Path\n"
        "from datamodules.cache import packer\n"
        "from datamodules.readers.gb2312 import LEVEL1\n"
        "from datamodules.readers.casia_parts import Protocol, find_sources\n"
        "from datamodules.cache.prepared import prepare\n"
        f"PROTOCOL = {PROTOCOL!r}\n"
        "def say(text): print(text, flush=True)\n"
        "root, place = Path(sys.argv[1]), Path(sys.argv[2])\n"
        f"{before}\n"
        "print(prepare(place, find_sources(root, PROTOCOL)[0], PROTOCOL, LEVEL1, say).folder)\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, str(root), str(place)],
        stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


# Dies by SIGKILL at each N-th call in turn, each time in a forked process of its own.
KILLED = """
def dies_at(name, number):
    real, calls = getattr(os, name), 0
    def dying(*arguments):
        nonlocal calls
        calls += 1
        if calls == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments)
    setattr(os, name, dying)

for name in ("write", "fsync", "rename"):
    for number in range(1, 100):
        mine = place / f"{name}{number}"
        process = os.fork()
        if not process:
            dies_at(name, number)
            prepare(mine, find_sources(root, PROTOCOL)[0], PROTOCOL, LEVEL1, lambda text: None)
            os._exit(0)
        if not os.waitpid(process, 0)[1]:
            break
"""


def test_killed_at_any_write_it_goes_on_at_the_last_whole_file(root: Path, tmp_path: Path) -> None:
    process = child(root, tmp_path / "killed", KILLED)
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0, out
    wanted = content(made(root, tmp_path / "wanted"))
    resumed = []
    ended = sorted((tmp_path / "killed").glob("[wfr]*"))
    for place in ended:
        said: list[str] = []
        assert content(made(root, place, said=said)) == wanted
        resumed += [int(text.split("after ")[1].split()[0]) for text in said if "resuming after" in text]
        assert not list(place.glob("*.partial"))
    assert len(ended) > 3 * FILES  # each file is a few writes and flushes
    assert set(resumed) == set(range(1, FILES + 1))


def test_a_torn_journal_costs_its_last_file_alone(root: Path, tmp_path: Path) -> None:
    process = child(root, tmp_path / "place", "dies = []\n" + KILLED.split("for name")[0] + "dies_at('rename', 1)")
    process.communicate(timeout=60)
    (partial,) = (tmp_path / "place").glob("*.partial")
    journal = partial / "journal"
    journal.write_bytes(journal.read_bytes()[:-9])
    said: list[str] = []
    assert content(made(root, tmp_path / "place", said=said)) == content(made(root, tmp_path / "wanted"))
    assert f"resuming after {FILES - 1} files" in said[0]


def test_two_processes_prepare_once(root: Path, tmp_path: Path) -> None:
    place, gate = tmp_path / "place", tmp_path / "gate"
    # The first holds still at its first flush until the gate opens, which it does once the second waits.
    hold = f"real = os.fsync\ndef held(d):\n while not Path({str(gate)!r}).exists(): time.sleep(0.01)\n real(d)\n"
    first = child(root, place, hold + "os.fsync = held")
    assert first.stdout is not None
    assert first.stdout.readline().startswith("preparing")
    second = child(root, place)
    assert second.stdout is not None
    assert second.stdout.readline().startswith("another process prepares")
    time.sleep(0.1)
    assert second.poll() is None
    gate.touch()
    ends = [process.communicate(timeout=60)[0].splitlines() for process in (first, second)]
    assert [process.returncode for process in (first, second)] == [0, 0]
    assert ends[0] == ends[1] == [str(place / whole_names(place)[0])]  # the second prepared nothing
