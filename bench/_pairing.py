"""The timing protocol, in the measuring process: a classifier in alternating blocks with the reference."""

import gc
import math
import random
import resource
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, cycle
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from bench._reference import reference, reference_input
from bench.runtimes import Loader
from bench.statistics import nested_bootstrap_mean, nested_bootstrap_ratio
from datamodules._characters import Characters

BLOCK_NS = 5_000_000  # least of one side in a row; shorter blocks measure each other's cache misses
# Where weights and buffers happen to lie in memory was measured to move a network's time by up to a tenth, for as
# long as it lives. So each few rounds are timed on a fresh copy of both sides, and the copies are averaged.
COPY_ROUNDS = 5
# Where cost depends on the character, as with early exits, a block holds this many times as many: few would leave the
# mean to chance.
VARYING_BLOCKS = 4
LEAST_COPIES = 2  # fewer give no interval worth the name
WARM_CALLS, WARM_S = 30, 0.5  # least warm-up: oneDNN still tunes itself during the first twenty calls
COPY_CALLS = 10  # of a later copy: from its fifth call on it was measured to be as fast as ever
STEADY = 0.03  # the medians of two successive tens of calls agree within this share: warm
WARM_CAP_S = 10.0  # then it is timed all the same, and the record says that it was not steady
BUDGET_S = 12.0  # of warm-up and rounds together; slow systems get fewer copies
CONTROL_ROUNDS = 20  # of the reference against itself, where there are as many rounds
NOISY = 0.01  # the reference differs from itself by more than this share: noisy
TAKEN = 0.05  # others held the CPU for more than this share of the calls' time: noisy
PRESSURE = Path("/proc/pressure/cpu")  # Linux: share of time in which some task waited for a CPU


class Side:
    """One of the two that are compared: a call, and the inputs that it cycles through.

    Attributes:
        wall: nanoseconds of each call since the warm-up, in order.
        cpu: the process's CPU time of the same calls, nanoseconds.
        block: calls per block.
        varies: whether its cost depends on the input, as it says itself; its mean is then what counts.

    Args:
        call: the classifier.
        inputs: cycled through; a ``cycle`` goes on where it stands.
    """

    def __init__(self, call: Callable[[Any], Any], inputs: Iterable[Any]) -> None:
        self._call, self._inputs = call, inputs if isinstance(inputs, cycle) else cycle(inputs)
        self.varies = bool(getattr(call, "varies", False))
        # The same few in each ten calls of a warm-up: else those of other cost would never let it end.
        self._warm = cycle([next(self._inputs) for _ in range(10)]) if self.varies else self._inputs
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
    """What was timed on one copy of both sides; ratios are logarithms, one a round."""

    candidate: Side
    frozen: Side
    control: Side
    ratios: list[float] = field(default_factory=list)
    controls: list[float] = field(default_factory=list)


def time_paired(prepare: Callable[[], Loader], characters: Characters, rounds: int, seed: int) -> dict[str, Any]:
    """Time a classifier character by character beside the reference, with one thread.

    The times are of the wall clock: what a user waits for. The ratio is one of CPU times, block by block: its
    median over the rounds of a copy, and the mean of these over the copies. With two busy neighbours on two cores
    the ratio of wall clocks of a network with long calls was measured as 24 instead of 8.5, while that of CPU times
    stayed within a tenth.

    Where a classifier ``varies``, means take the place of medians, and all copies together go through the characters,
    in an order drawn by the seed: a copy's first few would not leave early as often as all of them.

    Args:
        prepare: returns what makes a fresh copy of the classifier at each call.
        characters: native-size inputs, cycled through.
        rounds: blocks come in rounds of four, ABBA or BAAB by chance; fewer where the time budget ends first.
        seed: of that chance and of the bootstrap.

    Returns: ``value``, the median, or mean, in nanoseconds per call, and the details that a record keeps beside it.
    """
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    images = [characters.image(i) for i in range(len(characters))]
    load = prepare()
    drawn = cycle(random.Random(seed).sample(images, len(images)))
    switches = involuntary_switches()
    with _no_collection():
        end = time.monotonic() + BUDGET_S
        first = _copy(load, images, drawn)
        first_call = first.candidate.run(1)[0][0]
        steady = warm_up(first.candidate, first.frozen)
        copies = _time_copies(first, partial(_copy, load, images, drawn), rounds, end, random.Random(seed))
        preprocess, _ = Side(load().preprocess, images).run(len(images))
    controls = [copy.controls for copy in copies]
    return {
        **_spread(copies),
        **_compared(copies, controls, seed),
        "reference_ns": statistics.median(chain.from_iterable(copy.frozen.wall for copy in copies)),
        "preprocess_ns": statistics.median(preprocess),
        "first_call_ns": first_call,
        "noisy": _taken([copy.candidate for copy in copies]) > TAKEN or _differs(controls, seed),
        "steady": steady,
        "involuntary_switches": involuntary_switches() - switches,
        "pressure": cpu_pressure(),
        "flush_denormal": flushes_denormals(),
    }


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
        side.block = max(1, math.ceil(BLOCK_NS / medians[side][-1])) * (VARYING_BLOCKS if side.varies else 1)
    return steady


def involuntary_switches() -> int:
    """How often this process has lost the CPU to another one."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw


def cpu_pressure() -> float | None:
    """Per cent of the last ten seconds in which some task waited for a CPU; None where nobody says."""
    try:
        line = PRESSURE.read_text().splitlines()[0]  # some avg10=0.00 avg60=…
    except OSError:
        return None
    return float(line.split()[1].removeprefix("avg10="))


def flushes_denormals() -> bool:
    """Whether this thread's arithmetic takes denormal numbers as zero, which can change a network's time."""
    smallest_normal = torch.full((8,), torch.finfo(torch.float32).tiny)
    return not bool((smallest_normal / 2).any())


def _copy(load: Loader, images: Sequence[Any], drawn: "cycle[Any]") -> Copy:
    frozen, control = (Side(reference(), [reference_input()]) for _ in range(2))
    classifier = load()
    return Copy(Side(classifier, drawn if getattr(classifier, "varies", False) else images), frozen, control)


def _time_copies(first: Copy, fresh: Callable[[], Copy], rounds: int, end: float, rng: random.Random) -> list[Copy]:
    """The first copy, then fresh ones, until the rounds are done or the time is over."""
    control_every = max(1, rounds // CONTROL_ROUNDS)
    copies: list[Copy] = []
    left = rounds
    while left > 0 and (len(copies) < LEAST_COPIES or time.monotonic() < end):
        copy = fresh() if copies else first
        for side, like in (
            (copy.candidate, first.candidate),
            (copy.frozen, first.frozen),
            (copy.control, first.frozen),
        ):
            side.block = like.block
            side.run(COPY_CALLS)
        for done in range(min(COPY_ROUNDS, left)):
            copy.ratios.append(_round(copy.candidate, copy.frozen, rng))
            if done % control_every == 0:
                copy.controls.append(_round(copy.control, copy.frozen, rng))
        copies.append(copy)
        left -= COPY_ROUNDS
    return copies


def _round(a: Side, b: Side, rng: random.Random) -> float:
    """Log ratio of a to b over ABBA or BAAB: a steady drift in speed cancels."""
    outer, inner = (a, b) if rng.random() < 0.5 else (b, a)
    first, *middle, last = outer.timed_block(), inner.timed_block(), inner.timed_block(), outer.timed_block()
    log_ratio = math.log((first + last) / sum(middle))
    return log_ratio if outer is a else -log_ratio


@contextmanager
def _no_collection() -> Iterator[None]:
    """Keep Python's garbage collector out of the timed calls."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _spread(copies: list[Copy]) -> dict[str, Any]:
    wall = [ns for copy in copies for ns in copy.candidate.wall]
    q25, median, q75, p90 = (float(q) for q in np.percentile(wall, [25, 50, 75, 90]))
    mean, varies = statistics.fmean(wall), copies[0].candidate.varies
    return {
        "value": mean if varies else median,
        **({"median": median} if varies else {}),
        "n": len(wall),
        "q25": q25,
        "q75": q75,
        "p90": p90,
        # Where cost depends on the character, as with early exits, the means are what many characters cost.
        "mean": mean,
        "cpu_ns": statistics.fmean(ns for copy in copies for ns in copy.candidate.cpu),
    }


def _compared(copies: list[Copy], controls: list[list[float]], seed: int) -> dict[str, Any]:
    ratios = [copy.ratios for copy in copies]
    joined = nested_bootstrap_mean if copies[0].candidate.varies else nested_bootstrap_ratio
    ratio, low, high = joined(ratios, seed)
    control, control_low, control_high = nested_bootstrap_ratio(controls, seed)
    return {
        "rounds": sum(map(len, ratios)),
        "copies": len(ratios),
        "ratio_to_reference": ratio,
        "ratio_ci": [low, high],
        "aa_ratio": control,
        "aa_ci": [control_low, control_high],
    }


def _differs(controls: list[list[float]], seed: int) -> bool:
    """Whether the reference differs from itself."""
    ratio, low, high = nested_bootstrap_ratio(controls, seed)
    return not low <= 1 <= high or abs(ratio - 1) > NOISY


def _taken(sides: list[Side]) -> float:
    """How much longer the calls took than the CPU worked on them, as a share."""
    return sum(sum(side.wall) for side in sides) / sum(sum(side.cpu) for side in sides) - 1
