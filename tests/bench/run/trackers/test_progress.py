"""What a run says of itself while it runs."""

import io

from fake.records import record
from rich.console import Console

from bench.run.trackers.progress import Bars
from bench.training.events import Event


def phase(row: int, rows: int, system: str, name: str) -> Event:
    return Event("phase", row, rows, {"system": system}, phase=name)


def test_the_time_left_is_that_of_the_rows_that_are_not_kept() -> None:
    console = Console(file=io.StringIO(), width=100)
    with Bars(console, [(0.0, 0.0, 0.0), (120.0, 12.0, 30.0), (60.0, 12.0, 30.0)]) as bars:  # the first is kept
        bars(phase(2, 3, "lenet5", "train"))
        bars(Event("epoch", 2, 3, done=20, epochs=40))
        assert bars.bars.tasks[0].completed == 60
        bars(Event("trained", 2, 3))
        bars(phase(3, 3, "fire:gap", "train"))
        bars(phase(3, 3, "fire:gap", "export"))
        for number, system in enumerate(("nearest_mean", "lenet5", "fire:gap"), 1):
            bars(phase(number, 3, system, "time"))
    assert bars.bars.tasks[0].total == 264
    left = [line.split("about ")[1] for line in console.file.getvalue().splitlines()]
    assert left == [
        "4.4 left  training 2/3  lenet5", "2.4 left  training 3/3  fire:gap", "1.2 left  exporting 3/3  fire:gap",
        "1.0 left  timing 1/3  nearest_mean", "1.0 left  timing 2/3  lenet5", "0.5 left  timing 3/3  fire:gap",
    ]  # fmt: skip


def test_rows_that_train_in_parallel_have_a_bar_each_and_share_the_time() -> None:
    bars = Bars(Console(file=io.StringIO(), width=100), [(120.0, 0.0, 0.0), (60.0, 0.0, 0.0)], parallel=2)
    bars(phase(1, 2, "lenet5", "train"))
    bars(phase(2, 2, "fire:gap", "train"))
    bars(Event("epoch", 1, 2, done=10, epochs=40, scores={"val_accuracy": 0.5}))
    bars(Event("epoch", 2, 2, done=5, epochs=10))
    total, *own = bars.bars.tasks
    assert (total.total, total.completed) == (90, 15 + 15)
    assert [(bar.description, bar.completed, bar.total) for bar in own] == [("lenet5", 10, 40), ("fire:gap", 5, 10)]
    assert own[0].fields["note"] == "epoch 10/40, validation 50.0%"
    bars(Event("trained", 1, 2))
    assert [bar.description for bar in bars.bars.tasks] == ["rows", "fire:gap"]
    assert total.completed == 60 + 15


def test_what_has_no_value_is_said_with_its_reason() -> None:
    console = Console(file=io.StringIO(), width=100)
    made = record("fire:gap")
    made["measurements"]["macs"] = {"value": None, "incomplete": ["acme::fold", "acme::knit"]}
    made["measurements"]["latency"] = {"value": None, "error": "ArithmeticError: no clock"}
    Bars(console, [])(Event("recorded", 1, 1, made, kept=True))
    assert console.file.getvalue().splitlines() == [
        "fire:gap, macs: incomplete, no known cost: acme::fold, acme::knit",
        "fire:gap, latency: ArithmeticError: no clock",
    ]
