"""A suite on tiny data with other people's plug-ins installed, and who hears of its runs."""

from collections.abc import Iterator, Mapping
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
from bench.run.wandb_tracker import NoTracker
from bench.suites._base import Scale, Suite
from bench.training.train import Hardware
from datamodules.image_folder import ImageFolder

FIGURES = ("accuracy", "macs", "params", "size_bytes", "latency")


class Heard:
    """Notes what the runner reports; interrupts, as Ctrl-C does, where it is asked to."""

    def __init__(self, interrupt: tuple[str, str] | None = None) -> None:
        self.interrupt = interrupt
        self.phases: list[tuple[int, int, str, str]] = []
        self.kept: dict[str, bool] = {}
        self.ends = 0

    def row(self, number: int, of: int, system: str, phase: str) -> "Heard":
        self.phases.append((number, of, system, phase))
        if self.interrupt == (system, phase):
            raise KeyboardInterrupt
        return self

    def ended(self) -> None:
        self.ends += 1

    def epoch(self, done: float, of: int, scores: dict[str, float]) -> None:
        if self.interrupt == (self.phases[-1][2], f"epoch {done:.0f}"):
            raise KeyboardInterrupt

    def done(self, record: Mapping[str, Any], kept: bool) -> None:
        self.kept[record["system"]] = kept


class House:
    """A folder of data, records and runs, with other people's plug-ins beside."""

    def __init__(self, root: Path) -> None:
        self.root = self.place = root
        self.strokes = write_folder(root / "strokes", train=390, test=20)
        self.data = ImageFolder(self.strokes)  # decoded once
        self.data.setup()

    def plan(self, *systems: str, abreast: int = 1, **changes: Any) -> Plan:
        request = Request(
            "tiny", "image_folder", "quick", self.strokes, systems, out=self.place / "out", runs=self.place / "runs",
            hardware=Hardware("cpu", abreast), **changes,
        )  # fmt: skip
        return make_plan(request)

    def run(self, *systems: str, heard: Heard | None = None, **changes: Any) -> list[dict[str, Any]]:
        return run(self.plan(*systems, **changes), heard or Heard(), NoTracker())

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
