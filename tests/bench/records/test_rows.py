from fake.boards import boards, line_of, order_of
from fake.records import record

from bench.records.load import Stored
from bench.records.protocols import Protocol
from bench.records.rows import board_rows, ranked_machine

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


# Several machines.


def of(machine: str, system: str, accuracy: float = 0.9, ratio: float | None = 1.0, **changes):
    return record(system, accuracy, ratio, machine={"name": machine}, **changes)


def test_rows_are_ranked_among_those_of_their_machine():
    stored = [Stored("", r) for r in (of("x", "a", 0.9, 2.0), of("x", "b", 0.5, 3.0), of("y", "a", 0.9, 0.5))]
    found = {(row.machine, row.system): row for row in board_rows(stored, PROTOCOLS)}
    assert {key: row.rank for key, row in found.items()} == {
        ("x", "a"): (1, 1), ("x", "b"): (2, 2), ("y", "a"): (1, 1),
    }  # fmt: skip
    assert {key for key, row in found.items() if row.pareto} == {("x", "a"), ("y", "a")}


def test_the_machine_with_the_most_trained_and_timed_rows_is_ranked():
    def ranked(*records):
        return ranked_machine(board_rows([Stored("", r) for r in records], {"latency": Protocol("9", "")}))

    current = {"version": "9", "unit": "ns", "value": 1e6}

    def timed(*args, **changes):
        made = of(*args, **changes)
        made["measurements"]["latency"] = current
        return made

    untimed = [of("x", "b"), of("x", "c")]  # of an older protocol
    assert ranked(timed("x", "a"), *untimed, timed("y", "a"), timed("y", "b")) == "y"
    random = [timed("y", name, weights="random") for name in "ab"]
    assert ranked(timed("x", "a"), *random) == "x"
    later = "2026-12-24T10:00:00+00:00"
    assert ranked(timed("x", "a", started_at=later), timed("y", "a")) == "x"
    assert ranked(timed("x", "a"), timed("y", "a", started_at=later)) == "y"
    assert ranked() is None


# Times on all threads.


def test_a_time_on_all_threads_needs_twenty_calls_and_has_its_own_noise():
    made = [record(name) for name in "abc"]
    for one, calls, noisy in zip(made, (1, 20, 20), (True, False, True), strict=True):
        one["measurements"]["latency"].update(
            all_threads_ns=4.5e8, all_threads_n=calls, all_threads_noisy=noisy, noisy=not noisy
        )
    figures = {name: row["all_threads"] for name, row in rows(*made).items()}
    assert [(figures[name].value, figures[name].noisy) for name in "abc"] == [
        (None, False), (4.5e8, False), (4.5e8, True),
    ]  # fmt: skip


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
