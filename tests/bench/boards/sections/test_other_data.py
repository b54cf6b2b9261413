"""Whether systems rank alike on drawn and on real characters, by hand."""

from pathlib import Path

import pytest
from fake.boards import boards
from fake.records import record
from scipy.stats import spearmanr

from bench.records.statistics import spearman

HEADING = "Order on other data"


def section(board: str) -> str:
    return board.split(f"## {HEADING}\n")[1].split("\n## ")[0]


def on(name: str, synthetic: bool, accuracies: dict[str, float], **more) -> list[dict]:
    made = [record(system, accuracy, **more) for system, accuracy in accuracies.items()]
    for one in made:
        one["dataset"] = {**one["dataset"], "name": name, "synthetic": synthetic}
    return made


DRAWN = {"a": 0.9, "b": 0.8, "c": 0.7, "d": 0.6, "e": 0.5}
REAL = {"a": 0.8, "b": 0.7, "c": 0.6, "d": 0.3, "e": 0.4, "f": 0.9}


def test_both_boards_tell_how_far_the_order_holds(tmp_path: Path) -> None:
    made = boards(tmp_path, *on("synthetic_hwdb", True, DRAWN), *on("own", False, REAL))
    # Five systems on both; d and e change places: 1 - 6 * 2 / (5 * 24) = 0.9.
    value, low, high = spearman([0.9, 0.8, 0.7, 0.6, 0.5], [0.8, 0.7, 0.6, 0.3, 0.4])
    assert value == pytest.approx(0.9)
    line = f"| `own` | real | 5 | 0.90 [{low:.2f}, {high:.2f}] | `e`, 50.00 % here, 40.00 % there |"
    assert line in section(made["hccr.md"])
    assert "| `synthetic_hwdb` | drawn by a program | 5 | 0.90 [" in section(made["hccr-own.md"])


def test_few_common_systems_and_other_scales_say_nothing(tmp_path: Path) -> None:
    few = {name: REAL[name] for name in "abc"}
    other = on("third", False, REAL, scale="paper")
    made = boards(tmp_path, *on("synthetic_hwdb", True, DRAWN), *on("own", False, few), *other)
    assert HEADING not in made["hccr.md"]


def test_systems_that_learned_from_drawn_and_were_tested_on_real_characters_are_of_neither_kind(tmp_path: Path) -> None:
    mixed = on("hands-to-own", True, DRAWN)
    for one in mixed:
        one["dataset"]["plugin"] = "synthetic_to_real"
    made = boards(tmp_path, *mixed, *on("own", False, REAL))
    assert not any(HEADING in text for text in made.values())


def test_the_correlation_is_scipys_and_its_interval_is_bonett_and_wrights() -> None:
    a, b = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], [2.0, 1.0, 4.0, 3.0, 7.0, 5.0, 6.0]
    value, low, high = spearman(a, b)
    assert value == pytest.approx(spearmanr(a, b).statistic)
    # By hand: z = atanh(0.8214) = 1.1612, standard error sqrt((1 + 0.8214**2 / 2) / 4) = 0.5782.
    assert (low, high) == (pytest.approx(0.0279, abs=2e-4), pytest.approx(0.9799, abs=2e-4))


def test_a_perfect_order_of_few_is_not_certain() -> None:
    value, low, high = spearman([1.0, 2.0, 3.0, 4.0, 5.0], [1.0, 2.0, 3.0, 4.0, 5.0])
    assert (value, high) == pytest.approx((1.0, 1.0))
    assert low < 0.6
    assert spearman([1.0, 2.0, 3.0, 4.0], [4.0, 3.0, 2.0, 1.0])[:2] == pytest.approx((-1.0, -1.0))
    with pytest.raises(ValueError, match="at least four values"):
        spearman([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
