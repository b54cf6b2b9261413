"""Noise of the machine during a measurement: CPU use by other processes and virtual machines, denormal arithmetic."""

import os
from pathlib import Path

import torch

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

PRESSURE = Path("/proc/pressure/cpu")  # Linux: share of time in which some task waited for a CPU
TIMES = Path("/proc/stat")  # Linux: clock ticks of the CPUs since the start of the machine, by kind
# user, nice, system, idle, iowait, irq, softirq, steal. The ticks of guests follow; user includes them already.
_KINDS, _IDLE, _STEAL = 8, slice(3, 5), 7


def involuntary_switches(before: int | None = 0) -> int | None:
    """How often another process took the CPU from this one since ``before``; None if the system does not report it."""
    if resource is None or before is None:
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw - before


def cpu_pressure() -> float | None:
    """Per cent of the last ten seconds in which some task waited for a CPU; None if the system does not report it."""
    try:
        line = PRESSURE.read_text().splitlines()[0]  # some avg10=0.00 avg60=…
    except OSError:
        return None
    return float(line.split()[1].removeprefix("avg10="))


def cpu_ticks() -> tuple[int, int, int] | None:
    """Ticks of all CPUs: total, given to other guests of the host, idle; None if the system does not report them."""
    try:
        kinds = [int(word) for word in TIMES.read_text().split("\n", 1)[0].split()[1 : 1 + _KINDS]]
    except OSError:
        return None
    return sum(kinds), kinds[_STEAL], sum(kinds[_IDLE])


def steal(before: tuple[int, int, int] | None) -> float | None:
    """Share of CPU time that the host gave to other guests since ``before``, a value of ``cpu_ticks``."""
    since = _since(before)
    return None if since is None else since[1] / since[0]


def used_by_others(before: tuple[int, int, int] | None, own_s: float) -> float | None:
    """Share of the machine's CPU time that other processes used, or that was stolen, since ``before``.

    ``own_s`` is the CPU time of this process since then, in seconds.
    """
    since = _since(before)
    if since is None:
        return None
    total, _, idle = since
    return max(0.0, (total - idle - own_s * os.sysconf("SC_CLK_TCK")) / total)


def _since(before: tuple[int, int, int] | None) -> tuple[int, int, int] | None:
    """The ticks since ``before``; None if they are not known or none has passed."""
    after = cpu_ticks()
    if before is None or after is None or after[0] == before[0]:
        return None
    return after[0] - before[0], after[1] - before[1], after[2] - before[2]


def flushes_denormals() -> bool:
    """Whether this thread treats denormal numbers as zero, which can change the time of a network."""
    smallest_normal = torch.full((8,), torch.finfo(torch.float32).tiny)
    return not bool((smallest_normal / 2).any())
