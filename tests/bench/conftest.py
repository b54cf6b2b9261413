"""The command line in an empty folder, and a house that trains in seconds."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bench.__main__ import main

if TYPE_CHECKING:  # it brings torch, which tests of the command line alone do without
    from fake.house import House


@pytest.fixture
def bench(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[str], tuple[int, str, str]]:
    """Run a command in an empty folder; gives its exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)

    def run(command: str) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            code = main(command.split())
        except SystemExit as error:  # argparse
            code = int(error.code or 0)
        return code, *capsys.readouterr()

    return run


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[House]":
    """What the tests of a file share of a house: its data and its architecture."""
    from fake.house import built_house

    with built_house(tmp_path_factory.mktemp("house")) as house:
        yield house


@pytest.fixture
def house(built: "House", tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "House":
    """An empty one, with a stopwatch that shows a millisecond at once."""
    from bench.measurements import latency

    monkeypatch.setattr(built, "place", tmp_path)
    shown = {"value": 1e6, "n": 10, "ratio_to_reference": 2.0}
    monkeypatch.setattr(latency, "time_apart", lambda *arguments, **named: dict(shown))
    return built
