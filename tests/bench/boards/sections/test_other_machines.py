"""Latencies on several machines: every system of each, and how far order and ratios carry over, by hand."""

from pathlib import Path

import pytest
from fake.boards import boards
from fake.records import record, version

HEADING = "On other machines"


def section(board: str) -> str:
    return board.split(f"## {HEADING}\n")[1].split("\n## ")[0]


def on(machine: str, ratios: dict[str, float], **more) -> list[dict]:
    return [record(name, 0.9, ratio, machine={"name": machine}, **more) for name, ratio in ratios.items()]


def test_each_machine_has_its_ratio_and_ms(tmp_path: Path) -> None:
    made = [*on("x", {"a": 1.0, "b": 2.0}), *on("y", {"a": 0.5, "c": 4.0})]
    made[3]["measurements"]["latency@onnxruntime"] = {"version": version("latency"), "unit": "ns", "value": 3e6}
    made[3]["measurements"]["accuracy@onnxruntime"] = {"version": version("accuracy"), "unit": "ratio", "value": 0.85}
    made[2]["measurements"]["latency"]["noisy"] = True
    made[0]["started_at"] = "2026-12-24T10:00:00+00:00"  # as many rows: the newest record decides
    text = section(boards(tmp_path, *made)["hccr.md"])
    assert "does not carry over to another one" in " ".join(text.split())
    assert (
        "| System | Runtime | Accuracy, %, if not ranked above | `x`: × reference [95 %] | ms | "
        "`y`: × reference [95 %] | ms |"
    ) in text
    assert "| `a` | `eager` | — | 1.00 [0.980–1.02] | 2.00 | 0.500 [0.490–0.510] `noisy` | 1.00 |" in text
    assert "| `b` | `eager` | — | 2.00 [1.96–2.04] | 4.00 | — | — |" in text
    assert "| `c` | `eager` | 90.00 | — | — | 4.00 [3.92–4.08] | 8.00 |" in text
    assert "| `c` | `onnxruntime` | 85.00 | — | — | — | 3.00 |" in text


def test_rank_correlation_and_the_largest_change_are_told_for_each_pair(tmp_path: Path) -> None:
    x, y = {"a": 1.0, "b": 2.0, "c": 3.0, "d": 4.0, "f": 5.0}, {"a": 1.5, "b": 1.0, "c": 3.0, "e": 9.0}
    made = [*on("x", x), *on("y", y)]
    text = section(boards(tmp_path, *made, *on("z", {"a": 1.0}))["hccr.md"])
    # Ranks of a, b, c: 1 2 3 and 2 1 3, so 1 - 6 * (1 + 1 + 0) / (3 * 8) = 0.5. b's factor of 2 is larger than a's 1.5.
    assert (
        "- `x` and `y`: Spearman's rank correlation of the ms is 0.50 (n = 3); "
        "the ratio of `b` in `eager` changes most, from 2.00 to 1.00 × reference.\n"
    ) in text
    assert "- `x` and `z`: Spearman's rank correlation of the ms is — (n = 1);" in text
    assert text.count("\n- ") == 3


@pytest.mark.parametrize("ratios", [{"a": 1.0, "b": 1.0, "c": 1.0}, {"d": 1.0}])
def test_equal_times_or_no_common_row_have_no_correlation(tmp_path: Path, ratios: dict[str, float]) -> None:
    text = section(boards(tmp_path, *on("x", {"a": 1.0, "b": 2.0, "c": 3.0}), *on("y", ratios))["hccr.md"])
    assert "the ms is — (n = " in text


def test_a_system_of_another_machine_appears_even_untimed_and_failed_runtimes_do_not(tmp_path: Path) -> None:
    made = [*on("x", {"a": 1.0}), record("b", 0.8, None, machine={"name": "y"})]
    made[0]["measurements"]["latency@onnxruntime"] = {"version": version("latency"), "unit": "ns", "value": None}
    text = section(boards(tmp_path, *made)["hccr.md"])
    assert "| `b` | `eager` | 80.00 | — | — | — | — |" in text
    assert "`onnxruntime`" not in text


def test_timed_random_weights_stand_beside_the_trained_ones(tmp_path: Path) -> None:
    timed = [record(n, None, 2.0, machine={"name": "y"}, weights="random") for n in "abc"]
    board = boards(tmp_path, *on("x", {"a": 1.0}), *timed)["hccr.md"]
    assert "figures below are those of `x`" in board
    assert "| `a` | `eager` | — | 1.00 [0.980–1.02] | 2.00 | 2.00 [1.96–2.04] | 4.00 |" in section(board)


def test_one_machine_needs_no_such_section(tmp_path: Path) -> None:
    assert HEADING not in boards(tmp_path, *on("x", {"a": 1.0}))["hccr.md"]
