"""The timing protocol on sides whose speed is known."""

import math
import random
import time
from itertools import count, cycle

import pytest
import torch
from fake.rows import characters

from bench.latency import paired_blocks
from bench.latency.paired_blocks import BLOCK_NS, CalmWatch, Side, Sides, warm_up
from bench.latency.reference_network import _network, reference, reference_input
from bench.measurements._mac_counter import count as count_macs


class Scripted(Side):
    """A side that takes ``cost`` times what the machine's speed is at that moment."""

    def __init__(self, cost: float, speed) -> None:
        super().__init__(abs, [0])
        self.cost, self.speed = cost, speed

    def timed_block(self) -> tuple[list[int], list[int]]:
        ns = round(1e6 * self.cost * self.speed())
        return [ns], [ns]


def sides_of(*costs: float, speed=lambda: 1.0) -> Sides:
    """Candidate, frozen, control."""
    return Sides(*(Scripted(cost, speed) for cost in costs))


def burn(milliseconds: float) -> None:
    end = time.process_time() + milliseconds / 1000
    while time.process_time() < end:
        pass


@pytest.mark.parametrize("seed", range(4))
def test_a_steady_drift_cancels(seed: int) -> None:
    moments = count()
    drifting = sides_of(3.0, 1.0, 2.0, speed=lambda: 1 + 0.05 * next(moments))
    rng = random.Random(seed)
    for _ in range(4):
        found = paired_blocks._round(0, drifting, rng, CalmWatch(math.inf))
        assert (found.ratio, found.control) == pytest.approx((math.log(3 / 2**0.5), math.log(2)))


class Varying:
    """Takes as long as its input says, in milliseconds of CPU time."""

    data_dependent_cost = True

    def __init__(self) -> None:
        self.seen: list[float] = []

    def __call__(self, milliseconds: float) -> None:
        self.seen.append(milliseconds)
        burn(milliseconds)


def test_what_varies_is_warmed_up_on_the_same_few_and_has_longer_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paired_blocks, "WARM_S", 0.0)
    monkeypatch.setattr(paired_blocks, "WARM_CAP_S", 2.0)
    inputs = cycle([0.1, 0.1, 0.1, 0.9])  # mean 0.3, median 0.1
    side = Side(Varying(), inputs)
    warm_up(side)
    tens = [side._call.seen[i : i + 10] for i in range(0, len(side._call.seen), 10)]
    assert all(ten == tens[0] for ten in tens)  # each ten as the one before
    assert side.block % paired_blocks.DATA_DEPENDENT_BLOCKS == 0


def test_all_copies_together_go_through_the_characters() -> None:
    images = [number / 1e6 for number in range(100)]
    drawn, made = cycle(images), []

    def load() -> Varying:
        made.append(Varying())
        return made[-1]

    for _ in range(3):
        paired_blocks._copy(load, images, drawn).candidate.run(20)
    assert len({image for one in made for image in one.seen}) == 60


def test_every_order_is_drawn_and_then_goes_backwards() -> None:
    order: list[str] = []

    class Named(Side):
        def __init__(self, name: str) -> None:
            super().__init__(abs, [0])
            self.name = name

        def timed_block(self) -> tuple[list[int], list[int]]:
            order.append(self.name)
            return [1], [1]

    rng = random.Random(0)
    sides = Sides(*map(Named, "ABC"))
    for _ in range(60):
        paired_blocks._round(0, sides, rng, CalmWatch(math.inf))
    rounds = {"".join(order[i : i + 6]) for i in range(0, 360, 6)}
    assert rounds == {"ABCCBA", "ACBBCA", "BACCAB", "BCAACB", "CABBAC", "CBAABC"}


def test_a_candidate_is_compared_with_both_references() -> None:
    found = paired_blocks._round(5, sides_of(12, 2, 8), random.Random(0), CalmWatch(math.inf))
    assert (found.ratio, found.control) == pytest.approx((math.log(3), math.log(4)))  # 12 to the mean of 2 and 8
    assert (found.copy, found.slowest) == (5, 8e6)
    assert (found.wall, found.cpu, len(found.reference)) == ([12e6] * 2, [12e6] * 2, 4)


def rounds_of(costs: list[float], wanted: int, seconds: float = 60.0, speed=lambda: 1.0) -> list[paired_blocks.Round]:
    """Rounds of copies whose candidates take so many times what the reference takes."""
    made = iter(costs)
    end, watch = time.monotonic() + seconds, CalmWatch(math.inf)
    fresh = lambda: sides_of(next(made), 1.0, 1.0, speed=speed)  # noqa: E731
    return list(paired_blocks._time_copies(fresh(), fresh, wanted, end, random.Random(0), watch))


def test_rounds_are_spread_over_fresh_copies() -> None:
    rounds = rounds_of([1.0, 2.0, 4.0], 7)
    assert [one.copy for one in rounds] == [0, 0, 0, 1, 1, 1, 2]
    assert [one.ratio for one in rounds[::3]] == pytest.approx([0, math.log(2), math.log(4)])  # each as it is


def test_slow_systems_get_fewer_copies_but_three() -> None:
    assert [one.copy for one in rounds_of([1.0] * 9, 60, seconds=0)] == [0, 0, 0, 1, 1, 1, 2, 2, 2]


def watching(rounds, known_fastest: float = math.inf) -> CalmWatch:
    watch = CalmWatch(known_fastest)
    watch.add(one.slowest for one in rounds)
    return watch


def test_rounds_of_a_slowed_machine_are_made_up_for() -> None:
    moments = count()
    every_second_round = lambda: 1.5 if next(moments) // 6 % 2 else 1.0  # noqa: E731
    rounds = rounds_of([1.0] * 99, 6, speed=every_second_round)
    calm = watching(rounds).calm(rounds)
    assert (len(calm), len(rounds)) == (6, 11)
    assert all(one.slowest == 1e6 for one in calm)


def test_a_machine_that_is_slow_all_the_time_is_known_by_what_it_did_before() -> None:
    rounds = rounds_of([1.0] * 9, 9, speed=lambda: 1.5)
    assert len(watching(rounds).calm(rounds)) == 9  # nothing faster is known
    assert watching(rounds, known_fastest=1e6).calm(rounds) == []


def test_a_reference_that_is_a_little_slower_beside_another_runtime_is_calm() -> None:
    rounds = rounds_of([1.0] * 9, 9, speed=lambda: 1.12)
    assert len(watching(rounds, known_fastest=1e6).calm(rounds)) == 9


def test_a_single_fast_block_is_not_taken_for_the_reference_s_speed() -> None:
    watch = CalmWatch(math.inf)
    watch.add([1.5e6] * 99 + [1e6])
    assert watch.fastest == 1.5e6
    watch.add([1e6] * 10)
    assert watch.fastest == 1e6


def scripted_rounds(monkeypatch: pytest.MonkeyPatch, slowest: list[float]) -> None:
    """Nine rounds of three copies; the ratio of each is the logarithm of its number."""
    made = [
        paired_blocks.Round(number // 3, math.log(number + 1), 0.0, ns, wall=[number], cpu=[number], reference=[number])
        for number, ns in enumerate(slowest)
    ]

    def rounds(first, fresh, wanted, end, rng, watch):
        watch.add(one.slowest for one in made)
        return iter(made)

    monkeypatch.setattr(paired_blocks, "_time_copies", rounds)
    monkeypatch.setattr(paired_blocks, "WARM_CALLS", 10)


def test_rounds_of_a_slowed_machine_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    scripted_rounds(monkeypatch, [1.0, 1.0, 2.0, 1.0, 1.2, 1.0, 1.1, 1.0, 3.0])
    found = paired_blocks.time_paired(lambda: Quick, characters(4), 9, 0)
    kept = [0, 1, 3, 5, 6, 7]
    assert found.calm
    assert (found.wall, found.cpu, found.reference) == (kept, kept, kept)
    assert found.ratios == [[math.log(1), math.log(2)], [math.log(4), math.log(6)], [math.log(7), math.log(8)]]
    assert (found.details["rounds_left_out"], found.fastest) == (3, 1.0)


@pytest.mark.parametrize(
    ("slowest", "fastest"),
    [
        ([1.0] * 5 + [2.0] * 4, math.inf),  # too few rounds
        ([1.0] * 6 + [2.0] * 3, math.inf),  # enough, of two copies
        ([1.0] * 9, 0.5),  # the machine was twice as fast before
    ],
)
def test_too_few_calm_rounds_are_told_and_all_count(
    monkeypatch: pytest.MonkeyPatch, slowest: list[float], fastest: float
) -> None:
    scripted_rounds(monkeypatch, slowest)
    found = paired_blocks.time_paired(lambda: Quick, characters(4), 9, 0, fastest)
    assert (found.calm, found.details["rounds_left_out"], len(found.wall)) == (False, 0, 9)


def test_untimed_calls_take_no_character_from_the_timed_ones() -> None:
    seen: list[int] = []
    side = Side(seen.append, range(4))
    side.block = 1
    for _ in range(4):
        side.timed_block()
    assert seen[1::2] == [0, 1, 2, 3]


class Quick:
    """A classifier of a tenth of a millisecond."""

    def preprocess(self, image):
        return image

    def __call__(self, image):
        burn(0.1)


def test_a_later_copy_is_warmed_and_takes_the_first_ones_blocks() -> None:
    calls: list[int] = []
    first, later = (Sides(*(Side(calls.append, [1]) for _ in range(3))) for _ in range(2))
    first.candidate.block, first.frozen.block = 3, 2
    end, watch = time.monotonic() + 60, CalmWatch(math.inf)
    watch.calm = lambda rounds: list(rounds)
    rounds = list(paired_blocks._time_copies(first, lambda: later, 6, end, random.Random(0), watch))
    assert (later.candidate.block, later.frozen.block, later.control.block) == (3, 2, 2)
    assert [len(one.wall) for one in rounds] == [2 * 3] * 6  # two blocks; the calls of warm-up are not kept
    # Two copies of three sides, warmed; three rounds each, of two blocks of each side, each after an untimed call.
    untimed = paired_blocks.UNTIMED_CALLS
    assert len(calls) == 2 * (3 * paired_blocks.COPY_CALLS + 3 * 2 * (3 + 2 + 2 + 3 * untimed))


def test_inputs_are_cycled_through() -> None:
    seen: list[int] = []
    side = Side(seen.append, [0, 1, 2])
    side.run(4)
    side.block = 2
    wall, cpu = side.timed_block()
    assert seen == [0, 1, 2, 0, 0, 1, 2]  # one untimed call, of its own sequence, then two
    assert len(wall) == len(cpu) == 2


def test_times_are_those_of_the_call() -> None:
    side = Side(burn, [2.0])
    wall, cpu = side.run(5)
    assert all(1.9e6 < c < 2e7 for c in cpu)
    assert all(w > 1.9e6 for w in wall)


def test_warm_up_sets_blocks_of_five_milliseconds() -> None:
    fast, slow = Side(burn, [0.5]), Side(burn, [8.0])
    assert warm_up(fast, slow)
    assert 5 <= fast.block <= 10  # 0.5 ms and what the loop costs
    assert slow.block == 1
    assert BLOCK_NS == 5e6


def test_warm_up_gives_up_on_what_never_settles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paired_blocks, "WARM_CAP_S", 0.7)
    lengths = [0.1] * 10 + [0.3] * 10
    assert not warm_up(Side(burn, lengths))


def test_reference_is_frozen() -> None:
    # Whoever changes these numbers bumps the VERSION of every latency.
    classify = reference()
    found = classify(reference_input())
    assert found.shape == (1, 100)
    assert found.sum().item() == pytest.approx(1)
    assert found[0, :3].tolist() == pytest.approx([0.0076557, 0.0086556, 0.0060206], rel=1e-3)
    assert torch.equal(found, reference()(reference_input()))


def test_cost_of_the_reference() -> None:
    layers = [32 * 32 * 16 * 9, 32 * 32 * 32 * 16 * 9, 16 * 16 * 32 * 32 * 9, 8 * 8 * 64 * 32 * 9, 64 * 100]
    assert count_macs(_network(), reference_input()).macs == sum(layers) == 8_411_392
