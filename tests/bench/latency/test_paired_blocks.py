"""The timing protocol on sides whose speed is known."""

import math
import random
import time
from itertools import count, cycle

import pytest
import torch

from bench.latency import paired_blocks
from bench.latency.paired_blocks import BLOCK_NS, Side, warm_up
from bench.latency.reference_network import _network, reference, reference_input
from bench.measurements._mac_counter import count as count_macs


class Scripted(Side):
    """A side that takes ``cost`` times what the machine's speed is at that moment."""

    def __init__(self, cost: float, speed) -> None:
        super().__init__(abs, [0])
        self.cost, self.speed = cost, speed

    def timed_block(self) -> float:
        return self.cost * self.speed()


def burn(milliseconds: float) -> None:
    end = time.process_time() + milliseconds / 1000
    while time.process_time() < end:
        pass


@pytest.mark.parametrize("seed", range(4))
def test_a_steady_drift_cancels(seed: int) -> None:
    moments = count()
    drifting = [Scripted(cost, lambda: 1 + 0.05 * next(moments)) for cost in (3.0, 1.0, 2.0)]
    rng = random.Random(seed)
    for _ in range(4):
        times = paired_blocks._round(drifting, rng)
        assert [time - times[1] for time in times] == pytest.approx([math.log(3), 0, math.log(2)])


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

        def timed_block(self) -> float:
            order.append(self.name)
            return 1.0

    rng = random.Random(0)
    sides = [Named(name) for name in "ABC"]
    for _ in range(60):
        paired_blocks._round(sides, rng)
    rounds = {"".join(order[i : i + 6]) for i in range(0, 360, 6)}
    assert rounds == {"ABCCBA", "ACBBCA", "BACCAB", "BCAACB", "CABBAC", "CBAABC"}


def test_a_candidate_is_compared_with_both_references() -> None:
    copy = paired_blocks.Copy(*(Scripted(1.0, lambda: 1.0) for _ in range(3)))
    copy.add([math.log(12), math.log(2), math.log(8)])
    assert copy.ratios == pytest.approx([math.log(3)])  # 12 to the geometric mean of 2 and 8
    assert copy.controls == pytest.approx([math.log(4)])


def copies_of(costs: list[float], rounds: int, seconds: float = 60.0) -> list[paired_blocks.Copy]:
    """Copies whose candidates take so many times what the reference takes."""
    made = iter(costs)

    def fresh() -> paired_blocks.Copy:
        return paired_blocks.Copy(*(Scripted(cost, lambda: 1.0) for cost in (next(made), 1.0, 1.0)))

    return paired_blocks._time_copies(fresh(), fresh, rounds, time.monotonic() + seconds, random.Random(0))


def test_rounds_are_spread_over_fresh_copies() -> None:
    copies = copies_of([1.0, 2.0, 4.0], 7)
    assert [len(copy.ratios) for copy in copies] == [3, 3, 1]
    assert [copy.ratios[0] for copy in copies] == pytest.approx([0, math.log(2), math.log(4)])  # each as it is
    assert all(copy.controls == pytest.approx([0.0] * len(copy.ratios)) for copy in copies)


def test_slow_systems_get_fewer_copies_but_three() -> None:
    assert [len(copy.ratios) for copy in copies_of([1.0] * 9, 60, seconds=0)] == [3, 3, 3]


def test_a_later_copy_is_warmed_and_takes_the_first_ones_blocks() -> None:
    calls: list[int] = []
    first, later = (paired_blocks.Copy(*(Side(calls.append, [1]) for _ in range(3))) for _ in range(2))
    first.candidate.block, first.frozen.block = 3, 2
    paired_blocks._time_copies(first, lambda: later, 6, time.monotonic() + 60, random.Random(0))
    assert (later.candidate.block, later.frozen.block, later.control.block) == (3, 2, 2)
    assert len(later.candidate.wall) == 3 * 2 * 3  # three rounds of two blocks; the calls of warm-up are not kept
    # Two copies of three sides, warmed; three rounds each, of two blocks of each side.
    assert len(calls) == 2 * (3 * paired_blocks.COPY_CALLS + 3 * (2 * 3 + 2 * 2 + 2 * 2))


def test_inputs_are_cycled_through() -> None:
    seen: list[int] = []
    side = Side(seen.append, [0, 1, 2])
    side.run(4)
    side.block = 3
    side.timed_block()
    assert seen == [0, 1, 2, 0, 1, 2, 0]
    assert len(side.wall) == len(side.cpu) == 3  # only blocks are kept


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
