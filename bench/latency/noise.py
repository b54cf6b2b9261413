"""What else went on while a process measured: who took its CPU, and how its arithmetic was set."""

import resource
from pathlib import Path

import torch

PRESSURE = Path("/proc/pressure/cpu")  # Linux: share of time in which some task waited for a CPU
TIMES = Path("/proc/stat")  # Linux: what the CPUs did since the machine started, in clock ticks
# user, nice, system, idle, iowait, irq, softirq, steal; a guest's ticks, which follow, are in user's already.
_KINDS, _STEAL = 8, 7


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


def cpu_ticks() -> tuple[int, int] | None:
    """Ticks of all CPUs, and those of them that the host gave to other guests; None where nobody says."""
    try:
        kinds = [int(word) for word in TIMES.read_text().split("\n", 1)[0].split()[1 : 1 + _KINDS]]
    except OSError:
        return None
    return sum(kinds), kinds[_STEAL]


def steal(before: tuple[int, int] | None) -> float | None:
    """Share of the CPUs' time since ``before``, of ``cpu_ticks``, that the host gave to other guests."""
    after = cpu_ticks()
    if before is None or after is None or after[0] == before[0]:
        return None
    return (after[1] - before[1]) / (after[0] - before[0])


def flushes_denormals() -> bool:
    """Whether this thread's arithmetic takes denormal numbers as zero, which can change a network's time."""
    smallest_normal = torch.full((8,), torch.finfo(torch.float32).tiny)
    return not bool((smallest_normal / 2).any())
