"""Boards with records of several machines."""

from fake.boards import boards, line_of, order_of
from fake.records import record


def test_one_machine_is_ranked_and_the_others_are_named(tmp_path):
    other = {"machine": {"name": "other-8c"}}
    made = [record("a", 0.9), record("b", 0.8), record("a", 0.9, **other), record("c", 0.99, **other)]
    failed = record("d", None, None, status="failed", error="MemoryError: x", measurements={}, **other)
    board = boards(tmp_path, *made, record("e", 0.7), failed)["hccr.md"]
    assert order_of(board) == ["a", "b", "e"]
    assert line_of(board, "a")["Rank"] == "1"  # c, of the other machine, is more accurate
    assert "Machines `cpu-2c` (CPU, 2 cores, 8 GB, Linux); `other-8c`." in board
    assert "ranks and figures below are those of `cpu-2c`" in board
    assert "- `c` on `other-8c`: [seed 0]" in board
    assert "| `d` | `other-8c` | 0 | the row | MemoryError: x |" in board


def test_comparisons_of_several_machines_name_theirs(tmp_path):
    ratio = {"version": "1", "unit": "ratio", "value": 1.5}
    made = [
        record("loader", suite="performance", dataset=None, machine={"name": name},
               measurements={"ratio": {**ratio, "value": value}}) for name, value in (("x", 1.5), ("y", 2.5))
    ]  # fmt: skip
    board = boards(tmp_path, *made)["performance.md"]
    assert "| `loader` | `x` | 1.50 | — | — |" in board
    assert "| `loader` | `y` | 2.50 | — | — |" in board
