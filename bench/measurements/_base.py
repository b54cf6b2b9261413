"""Measurements: a file here without a leading underscore is one figure, and its name is its name everywhere.

Such a file holds literals, which are read without importing it, and one function:

* ``NAME``: the file's name.
* ``UNIT``: base unit of the value.
* ``VERSION``: of the protocol; another way of measuring is another version, and older values are stale.
* ``BETTER``: ``"higher"`` or ``"lower"``.
* ``PHASE``: ``"figures"``, or ``"timing"`` for what runs after all training, alone on the machine.
* ``NEEDS``, where not every system has it: the name of a literal that its architecture's file holds, such as
  ``"HEADS"`` for early exits; records of other systems lack the figure, and that is no error.
* ``STORED = False``, where a row that is stored in fewer bits would give the same as the one that it is made from.
* ``measure(row) -> Measurement``: a failure is raised, never hidden in the value.

One that takes the same figure under several conditions holds their names in records as ``FIGURES``, such as
``("accuracy@flip", "accuracy@resize")``, and its function is ``measure(row, figure)``. ``PASSES`` says how often it
runs the network over the test part altogether, where it does. Those in ``IN_RUNTIMES`` have another function,
``measure_in(deployment)``, which takes the same figure of a row in any runtime.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from bench.plugins import MEASUREMENTS
from bench.runtimes import _base as runtimes

# Taken of a row in each runtime, where its suite takes them at all.
IN_RUNTIMES = ("accuracy", "latency", "process_bytes", "exit_latency")


@dataclass(frozen=True)
class Condition:
    """One figure of a measurement that gives several: what a measurement's file holds, for that figure alone."""

    UNIT: str
    VERSION: str
    PHASE: str
    measure: Callable[..., Any]


def figures(measurement: str) -> tuple[str, ...]:
    """What records call that which a measurement gives; read without importing it."""
    found: tuple[str, ...] = MEASUREMENTS.literals(measurement).get("FIGURES", (measurement,))
    return found


def takers(measurements: Sequence[str]) -> dict[str, Any]:
    """What takes each figure of these measurements, by its name in records: their modules, or a Condition."""
    found: dict[str, Any] = {}
    for name in measurements:
        module = MEASUREMENTS.load(name)
        for figure in figures(name):
            one = Condition(module.UNIT, module.VERSION, module.PHASE, partial(module.measure, figure=figure))
            found[figure] = module if figure == name else one
    return found


def measurement_of(figure: str, measurements: Sequence[str]) -> str | None:
    """Which of these measurements gives a figure; a runtime's, such as ``latency@…``, has no other."""
    own = (name for name in measurements if figure in figures(name))
    base, _, condition = figure.partition("@")
    return next(own, base if condition in runtimes.names() and base in in_runtimes(measurements) else None)


def in_runtimes(measurements: Sequence[str]) -> tuple[str, ...]:
    """Those of these measurements that are taken of a row in each runtime."""
    return tuple(name for name in IN_RUNTIMES if name in measurements)
