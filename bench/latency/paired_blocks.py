"""The timing protocol, in the measuring process: a classifier in alternating blocks with the reference."""

import gc
import math
import random
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, cycle
from typing import Any

import cv2
import torch

from bench.latency.aggregate import Launch
from bench.latency.noise import cpu_pressure, cpu_ticks, flushes_denormals, involuntary_switches, steal
from bench.latency.reference_network import reference, reference_input
from bench.runtimes._base import Loader
from datamodules._characters import Characters

BLOCK_NS = 5_000_000  # least of one side in a row; shorter blocks measure each other's cache misses
# Where weights and buffers happen to lie in memory was measured to move a network's time by up to a tenth, for as
# long as it lives. So every three rounds are timed on a fresh copy of each side, and the copies are averaged.
COPY_ROUNDS = 3
# Where cost depends on the character, as with early exits, a block holds this many times as many: few would leave the
# mean to chance.
VARYING_BLOCKS = 4
LEAST_COPIES = 3  # Student's interval of two is three times as wide as that of three
# Least warm-up: oneDNN still tunes itself during the first twenty calls. Of 60 fresh references each was as fast as
# ever from its fourth call on; whatever needs longer is not STEADY before.
WARM_CALLS, WARM_S = 30, 0.1
COPY_CALLS = 6  # of a later copy: from its fifth call on it was measured to be as fast as ever
STEADY = 0.03  # the medians of two successive tens of calls agree within this share: warm
WARM_CAP_S = 10.0  # then it is timed all the same, and the record says that it was not steady
BUDGET_S = 12.0  # of warm-up and rounds together; slow systems get fewer copies


class Side:
    """One of the two that are compared: a call, and the inputs that it cycles through.

    Attributes:
        wall: nanoseconds of each call since the warm-up, in order.
        cpu: the process's CPU time of the same calls, nanoseconds.
        block: calls per block.
        data_dependent_cost: whether its cost depends on the input, as it says itself; its mean is then what counts.

    Args:
        call: the classifier.
        inputs: cycled through; a ``cycle`` goes on where it stands.
    """

    def __init__(self, call: Callable[[Any], Any], inputs: Iterable[Any]) -> None:
        self._call, self._inputs = call, inputs if isinstance(inputs, cycle) else cycle(inputs)
        self.data_dependent_cost = bool(getattr(call, "data_dependent_cost", False))
        # The same few in each ten calls of a warm-up: else those of other cost would never let it end.
        self._warm = cycle([next(self._inputs) for _ in range(10)]) if self.data_dependent_cost else self._inputs
        self.wall: list[int] = []
        self.cpu: list[int] = []
        self.block = 1

    def run(self, calls: int, warming: bool = False) -> tuple[list[int], list[int]]:
        """Wall and CPU nanoseconds of each of the next ``calls`` calls."""
        clock, cpu_clock, call = time.perf_counter_ns, time.process_time_ns, self._call
        inputs = self._warm if warming else self._inputs
        wall, cpu = [], []
        for _ in range(calls):
            image = next(inputs)
            cpu_start = cpu_clock()
            start = clock()
            call(image)
            end = clock()
            cpu.append(cpu_clock() - cpu_start)
            wall.append(end - start)
        return wall, cpu

    def timed_block(self) -> float:
        """Run one block and keep its times; returns its mean CPU nanoseconds per call."""
        wall, cpu = self.run(self.block)
        self.wall += wall
        self.cpu += cpu
        return statistics.fmean(cpu)


@dataclass
class Copy:
    """What was timed on one copy of the candidate and on two of the reference; ratios are logarithms, one a round."""

    candidate: Side
    frozen: Side
    control: Side
    ratios: list[float] = field(default_factory=list)
    controls: list[float] = field(default_factory=list)

    @property
    def sides(self) -> tuple[Side, Side, Side]:
        """All that are timed in a round."""
        return self.candidate, self.frozen, self.control

    def add(self, times: Sequence[float]) -> None:
        """Keep a round, of the logarithms of the sides' times; both references are what the candidate stands beside."""
        candidate, frozen, control = times
        self.ratios.append(candidate - (frozen + control) / 2)
        self.controls.append(control - frozen)


def time_paired(prepare: Callable[[], Loader], characters: Characters, rounds: int, seed: int) -> Launch:
    """Time a classifier character by character beside the reference, with one thread.

    The times are of the wall clock: what a user waits for. The ratio is one of CPU times, block by block: with two
    busy neighbours on two cores the ratio of wall clocks of a network with long calls was measured as 24 instead of
    8.5, while that of CPU times stayed within a tenth.

    Where a classifier's cost depends on the character, all copies together go through the characters, in an order drawn
    by the seed: a copy's first few would not leave early as often as all of them.

    Args:
        prepare: returns what makes a fresh copy of the classifier at each call.
        characters: native-size inputs, cycled through.
        rounds: a round has two blocks of the candidate and of each of two copies of the reference, in an order drawn
            by chance and then backwards, ABCCBA; there are fewer where the time budget ends first.
        seed: of that chance.
    """
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    images = [characters.image(i) for i in range(len(characters))]
    load = prepare()
    drawn = cycle(random.Random(seed).sample(images, len(images)))
    switches, ticks = involuntary_switches(), cpu_ticks()
    with _no_collection():
        end = time.monotonic() + BUDGET_S
        first = _copy(load, images, drawn)
        first_call = first.candidate.run(1)[0][0]
        steady = warm_up(first.candidate, first.frozen)
        copies = _time_copies(first, partial(_copy, load, images, drawn), rounds, end, random.Random(seed))
        preprocess, _ = Side(load().preprocess, images).run(len(images))
    return Launch(
        wall=list(chain.from_iterable(copy.candidate.wall for copy in copies)),
        cpu=list(chain.from_iterable(copy.candidate.cpu for copy in copies)),
        ratios=[copy.ratios for copy in copies],
        controls=[copy.controls for copy in copies],
        reference=list(chain.from_iterable(side.wall for copy in copies for side in copy.sides[1:])),
        data_dependent_cost=first.candidate.data_dependent_cost,
        noted={
            "preprocess_ns": statistics.median(preprocess),
            "first_call_ns": first_call,
            "steady": steady,
            "involuntary_switches": involuntary_switches() - switches,
            "pressure": cpu_pressure(),
            "steal": steal(ticks),
            "flush_denormal": flushes_denormals(),
        },
    )


def warm_up(*sides: Side) -> bool:
    """Run the sides in turn until each is steady, set their block sizes, and tell whether they became so."""
    start = time.monotonic()
    medians: dict[Side, list[float]] = {side: [] for side in sides}
    steady = False
    while not steady and time.monotonic() - start < WARM_CAP_S:
        for side in sides:
            medians[side].append(statistics.median(side.run(10, warming=True)[1]))
        calls = 10 * len(medians[sides[0]])
        enough = calls >= WARM_CALLS and time.monotonic() - start >= WARM_S
        steady = enough and all(abs(m[-1] / m[-2] - 1) <= STEADY for m in medians.values())
    for side in sides:
        side.block = max(1, math.ceil(BLOCK_NS / medians[side][-1])) * (
            VARYING_BLOCKS if side.data_dependent_cost else 1
        )
    return steady


def _copy(load: Loader, images: Sequence[Any], drawn: "cycle[Any]") -> Copy:
    frozen, control = (Side(reference(), [reference_input()]) for _ in range(2))
    classifier = load()
    return Copy(
        Side(classifier, drawn if getattr(classifier, "data_dependent_cost", False) else images), frozen, control
    )


def _time_copies(first: Copy, fresh: Callable[[], Copy], rounds: int, end: float, rng: random.Random) -> list[Copy]:
    """The first copy, then fresh ones, until the rounds are done or the time is over."""
    copies: list[Copy] = []
    left = rounds
    while left > 0 and (len(copies) < LEAST_COPIES or time.monotonic() < end):
        copy = fresh() if copies else first
        for side, like in zip(copy.sides, (first.candidate, first.frozen, first.frozen), strict=True):
            side.block = like.block
            side.run(COPY_CALLS)
        for _ in range(min(COPY_ROUNDS, left)):
            copy.add(_round(copy.sides, rng))
        copies.append(copy)
        left -= COPY_ROUNDS
    return copies


def _round(sides: Sequence[Side], rng: random.Random) -> list[float]:
    """Logarithm of each side's time in blocks of each, in any order and then backwards: a steady drift cancels."""
    order = rng.sample(range(len(sides)), len(sides))
    times = [0.0] * len(sides)
    for index in (*order, *reversed(order)):
        times[index] += sides[index].timed_block()
    return [math.log(taken) for taken in times]


@contextmanager
def _no_collection() -> Iterator[None]:
    """Keep Python's garbage collector out of the timed calls."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
