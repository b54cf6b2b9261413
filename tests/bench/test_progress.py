"""What a run says of itself while it runs."""

import io

from fake.records import record
from rich.console import Console

from bench.progress import Bars


def test_the_time_left_is_that_of_the_rows_that_are_not_kept() -> None:
    console = Console(file=io.StringIO(), width=100)
    with Bars(console, [(0.0, 0.0), (120.0, 30.0), (60.0, 30.0)]) as bars:  # the first is kept
        bars.row(2, 3, "lenet5", "train").epoch(20, 40, {})
        assert bars.bars.tasks[0].completed == 60
        bars.row(3, 3, "fire:gap", "train")
        for number, system in enumerate(("nearest_mean", "lenet5", "fire:gap"), 1):
            bars.row(number, 3, system, "time")
    assert bars.bars.tasks[0].total == 240
    left = [line.split("about ")[1] for line in console.file.getvalue().splitlines()]
    assert left == [
        "4.0 left  training 2/3  lenet5", "2.0 left  training 3/3  fire:gap", "1.0 left  timing 1/3  nearest_mean",
        "1.0 left  timing 2/3  lenet5", "0.5 left  timing 3/3  fire:gap",
    ]  # fmt: skip


def test_what_has_no_value_is_said_with_its_reason() -> None:
    console = Console(file=io.StringIO(), width=100)
    made = record("fire:gap")
    made["measurements"]["macs"] = {"value": None, "incomplete": ["acme::fold", "acme::knit"]}
    made["measurements"]["latency"] = {"value": None, "error": "ArithmeticError: no clock"}
    Bars(console, []).done(made, kept=True)
    assert console.file.getvalue().splitlines() == [
        "fire:gap, macs: incomplete, no known cost: acme::fold, acme::knit",
        "fire:gap, latency: ArithmeticError: no clock",
    ]
