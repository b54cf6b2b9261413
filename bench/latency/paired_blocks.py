"""Timing protocol: runs a classifier and the reference network in alternating blocks, in the measuring process."""

import gc
import math
import random
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain, cycle
from typing import Any, NamedTuple

import cv2
import numpy as np
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
BUDGET_S = 20.0  # of warm-up and rounds together; slow systems get fewer copies
# Calls of a block before its clock starts. The first call after another network has run takes longer by a tenth to a
# half, small ones in ONNX Runtime by a factor of 2 to 3, and how many calls share that cost depends on the block.
UNTIMED_CALLS = 1
# On a shared host a core slows for moments, in which the reference loses up to half of its speed and other networks
# less: their ratios fall by up to a fifth. A round counts only if no block of the reference in it took longer than this
# multiple of its fastest in this process. Measured on an Intel Xeon, five runs each: the ratio of fire:gwap in ONNX
# Runtime varied by 6.6 % with all rounds and 1.0 % with these, mobilenet_v2 by 5.4 and 1.8 %, squeezenet by 7.2 and
# 0.4 %.
CALM = 1.15
# A process whose reference never came nearer than this to the fastest known of the machine ran in a slow hour. The
# limit must let pass what the reference loses beside a large network in another runtime, 6 to 12 % beside ONNX Runtime
# and OpenVINO, and find a core that gives half of its speed.
SLOW_HOUR = 1.3
FASTEST_PERCENTILE = 5  # of the reference's blocks: the very fastest may be an error of the clock
MOST_ROUNDS = 4  # times the wanted number; a machine that was not calm in these is not calm at all
LEAST_CALM = 6  # rounds, of LEAST_COPIES copies; with fewer, all rounds count, and the latency is noisy


class Side:
    """One of the compared classifiers, ``call``, and the inputs that it cycles through.

    A ``cycle`` as ``inputs`` continues at its current position.
    """

    def __init__(self, call: Callable[[Any], Any], inputs: Iterable[Any]) -> None:
        self._call = call
        # Whether the cost depends on the input, as the classifier's attribute says; the mean is then reported.
        self.data_dependent_cost = bool(getattr(call, "data_dependent_cost", False))
        if isinstance(inputs, cycle):
            self._inputs, some = inputs, [next(inputs) for _ in range(10)]
        else:
            some = list(inputs)
            self._inputs = cycle(some)
        # Untimed calls have inputs of their own: every timed call takes the next one. The same ten, if the cost depends
        # on them: a warm-up with inputs of different cost would never be steady.
        self._warm = cycle(some[:10] if self.data_dependent_cost else some)
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

    def timed_block(self) -> tuple[list[int], list[int]]:
        """Wall and CPU nanoseconds of each call of one block, after its untimed calls."""
        self.run(UNTIMED_CALLS, warming=True)
        return self.run(self.block)


class Sides(NamedTuple):
    """One copy of the candidate and two of the reference."""

    candidate: Side
    frozen: Side
    control: Side


@dataclass(frozen=True)
class Round:
    """Times of two blocks of each side.

    Attributes:
        copy: number of the copy.
        ratio: logarithm of the candidate's CPU time over that of both references.
        control: logarithm of the ratio of the second reference to the first.
        slowest: mean CPU nanoseconds per call of the slowest block of the references.
        wall, cpu: nanoseconds of each call of the candidate.
        reference: wall-clock nanoseconds of each call of the references.
    """

    copy: int
    ratio: float
    control: float
    slowest: float
    wall: list[int]
    cpu: list[int]
    reference: list[int]


def time_paired(
    prepare: Callable[[], Loader], characters: Characters, rounds: int, seed: int, known_fastest: float = math.inf
) -> ProcessTimes:
    """Time a classifier character by character, in alternation with the reference, on one thread.

    Times are wall-clock times, because a user waits for them. Ratios are of CPU times, block by block: with two busy
    processes on two cores, the ratio of wall-clock times of a network with long calls was measured as 24 instead of
    8.5, while the ratio of CPU times stayed within a tenth.

    If the cost depends on the character, one sequence of characters, shuffled by the seed, continues over all copies:
    the first few characters would not leave early as often as all of them.

    Each round has two blocks of the candidate and of each of two copies of the reference, in random order and then in
    reverse, ABCCBA. Rounds in which the machine was slower than it can be are left out; there are fewer rounds if the
    time budget ends first.

    ``known_fastest`` is the least time of the reference, in CPU nanoseconds per call, that is known of this machine.
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
        watch = CalmWatch(known_fastest)
        fresh = partial(_copy, load, images, shuffled)
        every = list(_time_copies(first, fresh, rounds, end, random.Random(seed), watch))
        preprocess, _ = Side(load().preprocess, images).run(len(images))
    kept = watch.calm(every)
    calm = len(kept) >= LEAST_CALM and len({one.copy for one in kept}) >= LEAST_COPIES
    kept = kept if calm else every
    by_copy = [[one for one in kept if one.copy == copy] for copy in dict.fromkeys(one.copy for one in kept)]
    return ProcessTimes(
        wall=list(chain.from_iterable(one.wall for one in kept)),
        cpu=list(chain.from_iterable(one.cpu for one in kept)),
        ratios=[[one.ratio for one in copy] for copy in by_copy],
        controls=[[one.control for one in copy] for copy in by_copy],
        reference=list(chain.from_iterable(one.reference for one in kept)),
        data_dependent_cost=first.candidate.data_dependent_cost,
        calm=calm,
        fastest=watch.fastest,
        details={
            "rounds_left_out": len(every) - len(kept), "fastest_reference_ns": watch.fastest,
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


class CalmWatch:
    """Knows how fast the reference has been in this process, and which rounds were calm.

    ``known_fastest`` is the least time known of this machine from other processes, in CPU nanoseconds per call.
    """

    def __init__(self, known_fastest: float) -> None:
        self._known, self._blocks = known_fastest, list[float]()

    @property
    def fastest(self) -> float:
        """CPU nanoseconds per call of the reference's fastest blocks."""
        return float(np.percentile(self._blocks, FASTEST_PERCENTILE)) if self._blocks else math.inf

    def add(self, blocks: Iterable[float]) -> None:
        """Note the mean CPU nanoseconds per call of blocks of the reference."""
        self._blocks += blocks

    def calm(self, rounds: Iterable[Round]) -> list[Round]:
        """The rounds in which every block of the reference was nearly as fast as its fastest; none in a slow hour."""
        if self.fastest > SLOW_HOUR * self._known:
            return []
        return [one for one in rounds if one.slowest <= CALM * self.fastest]


def _copy(load: Loader, images: Sequence[Any], shuffled: "cycle[Any]") -> Sides:
    frozen, control = (Side(reference(), [reference_input()]) for _ in range(2))
    classifier = load()
    inputs = shuffled if getattr(classifier, "data_dependent_cost", False) else images
    return Sides(Side(classifier, inputs), frozen, control)


def _time_copies(
    first: Sides, fresh: Callable[[], Sides], wanted: int, end: float, rng: random.Random, watch: CalmWatch
) -> Iterator[Round]:
    """Time the first copy, then fresh ones, until as many calm rounds as ``wanted`` are done or the time is over."""
    rounds: list[Round] = []
    copies, missing = 0, wanted
    while missing > 0 and (copies < LEAST_COPIES or (time.monotonic() < end and len(rounds) < MOST_ROUNDS * wanted)):
        sides = fresh() if copies else first
        for side, like in zip(sides, (first.candidate, first.frozen, first.frozen), strict=True):
            side.block = like.block
            side.run(COPY_CALLS)
        for _ in range(min(COPY_ROUNDS, missing)):
            rounds.append(_round(copies, sides, rng, watch))
            yield rounds[-1]
        copies += 1
        missing = wanted - len(watch.calm(rounds))


def _round(copy: int, sides: Sides, rng: random.Random, watch: CalmWatch) -> Round:
    """Run a round; blocks run in random order and then in reverse, so a steady drift cancels."""
    order = rng.sample(range(len(sides)), len(sides))
    blocks: list[list[tuple[list[int], list[int]]]] = [[] for _ in sides]
    for index in (*order, *reversed(order)):
        blocks[index].append(sides[index].timed_block())
    means = [[statistics.fmean(cpu) for _, cpu in side] for side in blocks]
    candidate, frozen, control = (math.log(sum(side)) for side in means)
    references = [mean for side in means[1:] for mean in side]
    watch.add(references)
    return Round(
        copy, candidate - (frozen + control) / 2, control - frozen, max(references),
        wall=[ns for wall, _ in blocks[0] for ns in wall], cpu=[ns for _, cpu in blocks[0] for ns in cpu],
        reference=[ns for side in blocks[1:] for wall, _ in side for ns in wall],
    )  # fmt: skip


@contextmanager
def _no_collection() -> Iterator[None]:
    """Keep Python's garbage collector out of the timed calls."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
