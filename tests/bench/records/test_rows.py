from fake.boards import boards, line_of, order_of
from fake.records import record

from bench.records.load import Stored
from bench.records.protocols import Protocol
from bench.records.rows import board_rows

PROTOCOLS = {"accuracy": Protocol("1", "")}


def rows(*records):
    return {row.system: row for row in board_rows([Stored("", r) for r in records], PROTOCOLS)}


# Ranks, by hand: intervals are ±0.01.

FOUR = [record(name, accuracy) for name, accuracy in zip("abcd", (0.99, 0.975, 0.96, 0.90), strict=True)]


def test_overlapping_intervals_share_ranks():
    found = rows(*FOUR)
    # a [.98, 1] lies above c [.95, .97] and d; b [.965, .985] overlaps with both a and c; d lies below all.
    assert [found[name].rank for name in "abcd"] == [(1, 2), (1, 3), (2, 3), (4, 4)]


def test_a_rank_is_one_number_only_where_it_is_certain(tmp_path):
    board = boards(tmp_path, *FOUR)["hccr.md"]
    assert [line_of(board, name)["Rank"] for name in "abcd"] == ["1–2", "1–3", "2–3", "4"]
    assert order_of(board) == ["a", "b", "c", "d"]


def test_pareto_marks_what_nothing_beats_in_both():
    found = rows(record("fast", 0.8, 0.1), record("best", 0.99, 2.0), record("slow", 0.7, 3.0), record("mid", 0.9, 1.0))
    assert {name for name, row in found.items() if row.pareto} == {"fast", "mid", "best"}


def test_equal_points_are_both_on_the_front():
    assert all(row.pareto for row in rows(record("a", 0.9, 1.0), record("b", 0.9, 1.0)).values())


# How far a row is from what the machine could do.


def with_limit(name: str, limit: float | None):
    made = record(name, 0.9, 1.0)
    made["measurements"]["latency"]["cpu_ns"] = 3e6
    if limit is not None:
        made["measurements"]["machine_limit"] = {"version": "1", "unit": "ns", "value": limit, "int8": limit / 4}
    return made


def test_times_the_machines_limit_stand_on_the_board_where_they_are_known(tmp_path):
    board = boards(tmp_path, with_limit("a", 2e6), with_limit("b", None))["hccr.md"]
    assert [line_of(board, name)["× machine's limit"] for name in "ab"] == ["1.50", "—"]
    assert "machine's limit" not in boards(tmp_path / "without", with_limit("b", None))["hccr.md"]
