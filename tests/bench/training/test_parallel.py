"""Rows in parallel: the same records as one after another, whatever happens to one of the processes."""

import os
import time
from pathlib import Path
from typing import Any

import torch
from fake import parallel_rows

from bench.training.events import Event, Tell
from bench.training.parallel import Job, run_parallel

SAME = ("status", "error", "system", "seed", "recipe", "dataset", "precision")


class Noted:
    """Hears of a job."""

    def __init__(self) -> None:
        self.heard: list[Any] = []
        self.record: dict[str, Any] | None = None
        self.how = ""

    def __call__(self, event: Event) -> None:
        self.heard.append(event)

    def ended(self, record: dict[str, Any] | None, how: str) -> None:
        self.record, self.how = record, how


def test_records_are_those_of_one_row_after_another(tmp_path: Path) -> None:
    together, heard = parallel_rows.in_fresh_process(parallel_rows.together, tmp_path / "together")
    apart = parallel_rows.in_fresh_process(parallel_rows.apart, tmp_path / "apart")
    for mine, other in zip(together, apart, strict=True):
        assert {key: mine[key] for key in SAME} == {key: other[key] for key in SAME}
        assert set(mine["measurements"]) == set(other["measurements"])
    assert together[1]["error"] == "ArithmeticError: third step"
    assert heard.ends == 3
    assert [system for _, _, system, phase in heard.phases if phase == "train"] == list(parallel_rows.NAMES)


def test_an_interrupted_run_leaves_no_process_and_goes_on(tmp_path: Path) -> None:
    left, records = parallel_rows.in_fresh_process(parallel_rows.interrupted, tmp_path)
    assert not left
    assert [row["status"] for row in records] == ["whole", "whole"]


def test_a_process_that_dies_is_a_failed_row_and_the_others_finish(tmp_path: Path) -> None:
    good, bad = parallel_rows.in_fresh_process(parallel_rows.killed, tmp_path)
    assert (good["status"], bad["status"]) == ("whole", "failed")
    assert bad["error"] == "RuntimeError: its process ended by signal 9"


def test_as_many_at_once_as_asked_and_each_with_its_share_of_the_threads(tmp_path: Path) -> None:
    def work(name: str, tell: Tell) -> dict[str, Any]:
        (tmp_path / name).touch()
        tell(Event("training", record={"name": name}))
        most = 0
        for step in range(20):
            most = max(most, len(list(tmp_path.iterdir())))
            tell(Event("epoch", done=step, epochs=20, scores={"most": most}))
            time.sleep(0.01)
        (tmp_path / name).unlink()
        return {"most": most, "threads": torch.get_num_threads(), "pid": os.getpid()}

    before = torch.get_num_threads()
    torch.set_num_threads(4)
    noted = [Noted() for _ in range(5)]
    try:
        run_parallel((Job(lambda tell, n=n: work(f"{n}", tell), one, one.ended) for n, one in enumerate(noted)), 2)
    finally:
        torch.set_num_threads(before)
    records = [one.record or {} for one in noted]
    assert {record["threads"] for record in records} == {2}
    assert max(record["most"] for record in records) <= 2
    assert len({record["pid"] for record in records} - {os.getpid()}) == 5
    for number, one in enumerate(noted):
        assert one.heard[0] == Event("training", record={"name": f"{number}"})
        assert [event.done for event in one.heard[1:]] == list(range(20))
