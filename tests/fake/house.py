"""A suite on tiny data with other people's plug-ins installed, and who hears of its runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fake.image_folder import write_folder
from fake.plugins import offer

from bench.plugins import SUITES
from bench.run.plan import Plan, Request, make_plan
from bench.run.runner import run
from bench.suites._base import Scale, Suite
from bench.training.events import Event
from bench.training.train import Hardware
from datamodules.image_folder import ImageFolder

FIGURES = ("accuracy", "macs", "params", "size_bytes", "latency")


class Heard:
    """Notes the events of a run; interrupts, as Ctrl-C does, where it is asked to."""

    def __init__(self, interrupt: tuple[str, str] | None = None) -> None:
        self.interrupt = interrupt
        self.phases: list[tuple[int, int, str, str]] = []
        self.kept: dict[str, bool] = {}
        self.ends = 0

    def __call__(self, event: Event) -> None:
        system = event.record["system"]
        if event.kind == "phase":
            self.phases.append((event.row, event.rows, system, event.phase))
        self.ends += event.kind == "trained"
        if event.kind == "recorded":
            self.kept[system] = event.kept
        step = {"phase": event.phase, "epoch": f"epoch {event.done:.0f}"}.get(event.kind)
        if step is not None and self.interrupt == (system, step):
            raise KeyboardInterrupt


class House:
    """A folder of data, records and runs, with other people's plug-ins beside."""

    def __init__(self, root: Path) -> None:
        self.root = self.place = root
        self.strokes = write_folder(root / "strokes", train=390, test=20)
        self.data = ImageFolder(self.strokes)  # decoded once
        self.data.setup()

    def plan(self, *systems: str, parallel: int = 1, **changes: Any) -> Plan:
        request = Request(
            "tiny", "image_folder", "quick", self.strokes, systems, out=self.place / "out", runs=self.place / "runs",
            hardware=Hardware("cpu", parallel), **changes,
        )  # fmt: skip
        return make_plan(request)

    def run(self, *systems: str, heard: Heard | None = None, **changes: Any) -> list[dict[str, Any]]:
        return run(self.plan(*systems, **changes), heard or Heard())

    def files(self) -> dict[str, bytes]:
        return {path.name.split("@")[0]: path.read_bytes() for path in self.paths()}

    def paths(self) -> list[Path]:
        return sorted((self.place / "out" / "results").rglob("*.json"))


@contextmanager
def built_house(root: Path) -> Iterator[House]:
    """A house in a folder, for as long as the block runs."""
    suite = Suite(
        "Tiny",
        "image_folder",
        FIGURES,
        {"quick": Scale(("acme_tiny",), None, None, share=0.05, share_own=0.05, rounds=10)},
    )
    with pytest.MonkeyPatch.context() as patch:
        house = House(root)
        offer(house.root / "acme", patch)
        patch.setattr(SUITES, "load", lambda name: SimpleNamespace(SUITE=suite))
        patch.setattr("datamodules.image_folder.build", lambda settings: house.data)
        yield house
