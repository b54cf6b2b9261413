"""Rows side by side: the same records as one after another, whatever happens to one of the processes."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from fake.house import Heard, House, built_house

from bench.abreast import Job, Listener, run_abreast
from bench.measurements import latency

SAME = ("status", "error", "system", "seed", "recipe", "dataset", "precision")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with built_house(tmp_path_factory.mktemp("house")) as house:
        yield house


@pytest.fixture
def house(built: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    """An empty one, with a stopwatch that shows a millisecond at once."""
    monkeypatch.setattr(built, "place", tmp_path)
    monkeypatch.setattr(latency, "time_apart", lambda *arguments: {"value": 1e6, "n": 10, "ratio_to_reference": 2.0})
    return built


class Noted:
    """Hears of a job."""

    def __init__(self) -> None:
        self.heard: list[Any] = []
        self.record: dict[str, Any] | None = None
        self.how = ""

    def started(self, record: dict[str, Any]) -> None:
        self.heard.append(record)

    def epoch(self, done: float, of: int, scores: dict[str, float]) -> None:
        self.heard.append((done, of, scores))

    def ended(self, record: dict[str, Any] | None, how: str) -> None:
        self.record, self.how = record, how


def test_records_are_those_of_one_row_after_another(house: House, tmp_path: Path) -> None:
    names = ("acme_tiny", "acme_step", "acme_tiny+paper")
    heard = Heard()
    together = house.run(*names, heard=heard, abreast=2)
    house.place = tmp_path / "again"
    apart = house.run(*names)
    for mine, other in zip(together, apart, strict=True):
        assert {key: mine[key] for key in SAME} == {key: other[key] for key in SAME}
        assert set(mine["measurements"]) == set(other["measurements"])
    assert together[1]["error"] == "ArithmeticError: third step"
    assert heard.ends == 3
    trained = [system for _, _, system, phase in heard.phases if phase == "train"]
    assert trained == list(names)


def test_an_interrupted_run_leaves_no_process_and_goes_on(house: House) -> None:
    with pytest.raises(KeyboardInterrupt):
        house.run("acme_tiny", "acme_tiny+paper", heard=Heard(("acme_tiny+paper", "train")), abreast=2)
    with pytest.raises(ChildProcessError):  # there is none to wait for
        os.waitpid(-1, os.WNOHANG)
    records = house.run("acme_tiny", "acme_tiny+paper", abreast=2)
    assert [row["status"] for row in records] == ["whole", "whole"]


def test_a_process_that_dies_is_a_failed_row_and_the_others_finish(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def predict(task: Any, *rest: Any) -> Any:
        if task.recipe.name == "paper":
            os.kill(os.getpid(), 9)  # as the system does when memory runs out
        return real(task, *rest)

    from bench import runner

    real = runner.predict
    monkeypatch.setattr(runner, "predict", predict)
    good, bad = house.run("acme_tiny", "acme_tiny+paper", abreast=2)
    assert (good["status"], bad["status"]) == ("whole", "failed")
    assert bad["error"] == "RuntimeError: its process ended by signal 9"


def test_as_many_at_once_as_asked_and_each_with_its_share_of_the_threads(tmp_path: Path) -> None:
    def work(name: str, listener: Listener) -> dict[str, Any]:
        (tmp_path / name).touch()
        listener.started({"name": name})
        most = 0
        for step in range(20):
            most = max(most, len(list(tmp_path.iterdir())))
            listener.epoch(step, 20, {"most": most})
            time.sleep(0.01)
        (tmp_path / name).unlink()
        return {"most": most, "threads": torch.get_num_threads(), "pid": os.getpid()}

    before = torch.get_num_threads()
    torch.set_num_threads(4)
    noted = [Noted() for _ in range(5)]
    try:
        run_abreast(
            (Job(lambda listener, n=n: work(f"{n}", listener), one, one.ended) for n, one in enumerate(noted)), 2
        )
    finally:
        torch.set_num_threads(before)
    records = [one.record or {} for one in noted]
    assert {record["threads"] for record in records} == {2}
    assert max(record["most"] for record in records) <= 2
    assert len({record["pid"] for record in records} - {os.getpid()}) == 5
    for number, one in enumerate(noted):
        assert one.heard[0] == {"name": f"{number}"}
        assert [step for step, *_ in one.heard[1:]] == list(range(20))
