"""Timing protocol: runs a classifier and the reference network in alternating blocks, in the measuring process."""

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

from bench.latency.aggregate import ProcessTimes
from bench.latency.noise import cpu_pressure, cpu_ticks, flushes_denormals, involuntary_switches, steal
from bench.latency.reference_network import reference, reference_input
from bench.runtimes._base import Loader
from datamodules._characters import Characters

BLOCK_NS = 5_000_000  # least length of a block; shorter blocks measure each other's cache misses
# The place of weights and buffers in memory was measured to change a network's time by up to a tenth, for the lifetime
# of that copy. So every three rounds use a fresh copy of each side, and the copies are averaged.
COPY_ROUNDS = 3
# Blocks are this many times longer if the cost depends on the character, as with early exits: over few characters the
# mean would vary by chance.
DATA_DEPENDENT_BLOCKS = 4
LEAST_COPIES = 3  # Student's interval of two is three times as wide as that of three
# Least warm-up: oneDNN tunes itself during the first twenty calls. Each of 60 fresh references reached its full speed
# at its fourth call; a network that needs longer is not STEADY before.
WARM_CALLS, WARM_S = 30, 0.1
COPY_CALLS = 6  # warm-up of a later copy, which was measured to reach full speed at its fifth call
STEADY = 0.03  # warm if the medians of two successive tens of calls differ by no more than this share
WARM_CAP_S = 10.0  # longest warm-up; the record then says that the times were not steady
BUDGET_S = 12.0  # of warm-up and rounds together; slow systems get fewer copies


class Side:
    """One of the compared classifiers, ``call``, and the inputs that it cycles through.

    A ``cycle`` as ``inputs`` continues at its current position.
    """

    def __init__(self, call: Callable[[Any], Any], inputs: Iterable[Any]) -> None:
        self._call, self._inputs = call, inputs if isinstance(inputs, cycle) else cycle(inputs)
        # Whether the cost depends on the input, as the classifier's attribute says; the mean is then reported.
        self.data_dependent_cost = bool(getattr(call, "data_dependent_cost", False))
        # Every ten calls of a warm-up use the same inputs: with inputs of different cost, it would never be steady.
        self._warm = cycle([next(self._inputs) for _ in range(10)]) if self.data_dependent_cost else self._inputs
        self.wall: list[int] = []  # nanoseconds of each call since the warm-up
        self.cpu: list[int] = []  # CPU time of the process in the same calls, nanoseconds
        self.block = 1  # calls per block

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
        """Run one block and keep its times. Returns the mean CPU nanoseconds per call."""
        wall, cpu = self.run(self.block)
        self.wall += wall
        self.cpu += cpu
        return statistics.fmean(cpu)


@dataclass
class Copy:
    """One copy of the candidate and two of the reference, and the logarithms of their ratios, one per round."""

    candidate: Side
    frozen: Side
    control: Side
    ratios: list[float] = field(default_factory=list)
    controls: list[float] = field(default_factory=list)

    @property
    def sides(self) -> tuple[Side, Side, Side]:
        """Candidate, frozen and control."""
        return self.candidate, self.frozen, self.control

    def add(self, times: Sequence[float]) -> None:
        """Add a round, the logarithms of the sides' times; the candidate is compared with both references."""
        candidate, frozen, control = times
        self.ratios.append(candidate - (frozen + control) / 2)
        self.controls.append(control - frozen)


def time_paired(prepare: Callable[[], Loader], characters: Characters, rounds: int, seed: int) -> ProcessTimes:
    """Time a classifier character by character, in alternation with the reference, on one thread.

    Times are wall-clock times, because a user waits for them. Ratios are of CPU times, block by block: with two busy
    processes on two cores, the ratio of wall-clock times of a network with long calls was measured as 24 instead of
    8.5, while the ratio of CPU times stayed within a tenth.

    If the cost depends on the character, one sequence of characters, shuffled by the seed, continues over all copies:
    the first few characters would not leave early as often as all of them.

    Each round has two blocks of the candidate and of each of two copies of the reference, in random order and then in
    reverse, ABCCBA; there are fewer rounds if the time budget ends first.
    """
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    images = [characters.image(i) for i in range(len(characters))]
    load = prepare()
    shuffled = cycle(random.Random(seed).sample(images, len(images)))
    switches, ticks = involuntary_switches(), cpu_ticks()
    with _no_collection():
        end = time.monotonic() + BUDGET_S
        first = _copy(load, images, shuffled)
        first_call = first.candidate.run(1)[0][0]
        steady = warm_up(first.candidate, first.frozen)
        copies = _time_copies(first, partial(_copy, load, images, shuffled), rounds, end, random.Random(seed))
        preprocess, _ = Side(load().preprocess, images).run(len(images))
    return ProcessTimes(
        wall=list(chain.from_iterable(copy.candidate.wall for copy in copies)),
        cpu=list(chain.from_iterable(copy.candidate.cpu for copy in copies)),
        ratios=[copy.ratios for copy in copies],
        controls=[copy.controls for copy in copies],
        reference=list(chain.from_iterable(side.wall for copy in copies for side in copy.sides[1:])),
        data_dependent_cost=first.candidate.data_dependent_cost,
        details={
            "preprocess_ns": statistics.median(preprocess), "first_call_ns": first_call, "steady": steady,
            "involuntary_switches": involuntary_switches(switches), "pressure": cpu_pressure(),
            "steal": steal(ticks), "flush_denormal": flushes_denormals(),
        },
    )  # fmt: skip


def warm_up(*sides: Side) -> bool:
    """Run the sides in turn until all are steady, and set their block sizes. Returns whether they became steady."""
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
        factor = DATA_DEPENDENT_BLOCKS if side.data_dependent_cost else 1
        side.block = factor * max(1, math.ceil(BLOCK_NS / medians[side][-1]))
    return steady


def _copy(load: Loader, images: Sequence[Any], shuffled: "cycle[Any]") -> Copy:
    frozen, control = (Side(reference(), [reference_input()]) for _ in range(2))
    classifier = load()
    inputs = shuffled if getattr(classifier, "data_dependent_cost", False) else images
    return Copy(Side(classifier, inputs), frozen, control)


def _time_copies(first: Copy, fresh: Callable[[], Copy], rounds: int, end: float, rng: random.Random) -> list[Copy]:
    """Time the first copy, then fresh ones, until the rounds are done or the time is over."""
    copies: list[Copy] = []
    remaining = rounds
    while remaining > 0 and (len(copies) < LEAST_COPIES or time.monotonic() < end):
        copy = fresh() if copies else first
        for side, like in zip(copy.sides, (first.candidate, first.frozen, first.frozen), strict=True):
            side.block = like.block
            side.run(COPY_CALLS)
        for _ in range(min(COPY_ROUNDS, remaining)):
            copy.add(_round(copy.sides, rng))
        copies.append(copy)
        remaining -= COPY_ROUNDS
    return copies


def _round(sides: Sequence[Side], rng: random.Random) -> list[float]:
    """Logarithms of the sides' times; blocks run in random order and then in reverse, so a steady drift cancels."""
    order = rng.sample(range(len(sides)), len(sides))
    times = [0.0] * len(sides)
    for index in (*order, *reversed(order)):
        times[index] += sides[index].timed_block()
    return [math.log(total) for total in times]


@contextmanager
def _no_collection() -> Iterator[None]:
    """Keep Python's garbage collector out of the timed calls."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
